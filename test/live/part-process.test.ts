/** Parts as processes: ready, words, samples, a clean stop, every kind of death told with its reason, and no orphan. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startPart, type PartSample } from '../../core/live/part-process.js'

const SAMPLE = fileURLToPath(new URL('../../dist/test/live/sample-part.js', import.meta.url))
const PART_PROCESS = fileURLToPath(new URL('../../dist/core/live/part-process.js', import.meta.url))

function start(config: unknown, onSample: (sample: PartSample) => void = () => {}): ReturnType<typeof startPart> {
  return startPart(SAMPLE, config, '/tmp/journal', onSample)
}

describe('a part', () => {
  it('gets ready, does what it is told, reports samples and stops with its histograms', async () => {
    const sample: { resolve(sample: PartSample): void } = { resolve: () => {} }
    const sampled = new Promise<PartSample>((resolve) => { sample.resolve = resolve })
    const part = await start('hello', (seen) => sample.resolve(seen))
    expect(part.addresses).toEqual({ sample: 'hello /tmp/journal' })
    expect(await part.perform('add', [1, 2])).toBe(3)
    await expect(part.perform('sing')).rejects.toThrow('knows no word "sing"')
    const seen = await sampled
    expect(seen.counters).toEqual({ additions: 1 })
    expect(seen.resources.cpuSeconds).toBeGreaterThan(0)
    expect(seen.resources.rssBytesMax).toBeGreaterThan(10_000_000)
    expect(seen.resources.loopUtilisation).toBeLessThanOrEqual(1)
    const stopped = await part.stop(5_000)
    expect(stopped.histograms).toEqual({ 'sample.add': 'histogram' })
    expect(await part.ended).toBeUndefined()
    await expect(part.perform('add', [1, 2])).rejects.toThrow('after the part had ended')
  })

  it('that cannot start says why', async () => {
    await expect(start('refuse')).rejects.toThrow('told to refuse')
    await expect(startPart('/nowhere/part.js', {}, undefined, () => {})).rejects.toThrow(/exit code 1; its last words:[^]*Cannot find module/)
  })

  it('that throws in a callback is fatal, and a waiting word is rejected with the reason', async () => {
    const part = await start('hello')
    await expect(part.perform('throw later')).rejects.toThrow('thrown in a callback')
    expect(await part.ended).toContain('thrown in a callback')
  })

  it('that dies leaves its last words', async () => {
    const part = await start('hello')
    await expect(part.perform('exit')).rejects.toThrow(/exit code 7; its last words:\nabout to leave/)
  })

  it('that does not stop in time is killed', async () => {
    const part = await start('stubborn')
    await expect(part.stop(200)).rejects.toThrow('did not stop within 200 ms and was killed')
    expect(await part.ended).toContain('SIGKILL')
  })

  it.each(['SIGINT', 'SIGHUP'] as const)('survives Ctrl-C and the end of its terminal (%s), which the command answers for all', async (signal) => {
    const part = await start('hello')
    process.kill(part.pid, signal)
    expect(await part.perform('add', [2, 3])).toBe(5)
    await part.kill()
    expect(await part.ended).toContain('SIGKILL')
  })

  it('never outlives its command, even one that was killed', async () => {
    const script = `import { startPart } from ${JSON.stringify(PART_PROCESS)}
      const part = await startPart(${JSON.stringify(SAMPLE)}, 'hello', undefined, () => {}, { execArgv: [] })
      console.log(part.pid)`
    const command = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = Number(await new Promise<Buffer>((resolve) => { command.stdout.once('data', resolve) }))
    // The part inherited the write end of no pipe of ours; we watch its process id.
    expect(() => process.kill(pid, 0)).not.toThrow()
    command.kill('SIGKILL')
    await new Promise<void>((resolve) => {
      const look = (): void => {
        try {
          process.kill(pid, 0)
          setTimeout(look, 5)
        } catch {
          resolve()
        }
      }
      look()
    })
  })

  it('run by hand explains itself', async () => {
    const alone = spawn(process.execPath, [SAMPLE], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    alone.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
    const code = await new Promise<number | null>((resolve) => { alone.once('close', resolve) })
    expect(code).toBe(1)
    expect(said).toContain('runs only when forked')
  })
})
