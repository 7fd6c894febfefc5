/**
 * A small process that writes to a store until it is killed, for the tests of what survives. Each commit holds three rows
 * with the same number, and its number is printed only when it was answered; the first line is the process id. Arguments: folder, commits at once.
 */
import { writeSync } from 'node:fs'
import { openStore } from '../../core/live/store-lmdb.js'

const [, , folder = '', together = '10'] = process.argv
let number = 0

writeSync(1, `pid ${process.pid}\n`)

const store = await openStore(folder, {
  report: (input) => {
    // Written at once and not through a stream, so that a trace shows it after the flush that allowed it.
    writeSync(1, `${input.type} ${input.ticket}\n`)
    give()
  },
  onFailure: (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  },
})

function give(): void {
  const value = Buffer.from(`${++number}`)
  const operations = ['a', 'b', 'c'].map((row) => ({ type: 'put' as const, key: Buffer.from(`${row}${String(number).padStart(9, '0')}`), value }))
  store.output({ type: 'commit', ticket: number, operations })
  if (number % Number(together) === 0) setImmediate(() => store.flush())
}

for (let index = 0; index < Number(together); index++) give()
