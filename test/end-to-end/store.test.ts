/** A look inside a store as an operator takes it: a list, one push with its history, an export; while a gateway has the store and after. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore, type LmdbStore } from '../../core/live/store-lmdb.js'
import { doneKey, pendingKey, sequenceOfWall, unacknowledgedKey } from '../../core/store/keys.js'
import { MARK, encodeFinal, encodeSubmission } from '../../core/store/records.js'
import { Folder } from './command.js'

const ACCEPTED = Date.UTC(2026, 2, 14, 9, 0, 0)
const SECRET = 'octets that nobody is shown'
const FACTS = { acceptedAt: ACCEPTED, priority: 'medium', deliveryMethod: 'confirmed', hasQualityOfService: true, papForm: '2.0', initiator: 'shop', notifyUrl: 'http://shop.example/n' } as const

let folder: Folder
let store: LmdbStore
beforeEach(async () => {
  folder = new Folder()
  let written = (): void => {}
  const done = new Promise<void>((resolve) => { written = resolve })
  // A name with a dot, as a version has one.
  store = await openStore(join(folder.path, 'store.v2'), { report: () => written(), onFailure: (error) => { throw error } })
  const waits = encodeSubmission({
    ...FACTS, pushId: 'waits@shop', deliverAfter: 0, expiresAt: ACCEPTED + 3_600_000, hasDeliverBefore: false, statesCapabilities: false, token: 'token', applicationId: 'x-wap-application:wml.ua', featureTag: 'wml.ua',
    recipients: [{ literal: 'WAPPUSH=anna/TYPE=USER@ppg', uri: 'sip:anna@ims' }, { literal: 'WAPPUSH=ben\u009b2J/TYPE=USER@ppg', uri: 'sip:ben@ims' }], contentType: 'text/plain', contentHeaders: [], content: Buffer.from(SECRET),
  })
  const final = { ...FACTS, sipStatus: 200, confirmed: true, binding: 'message', state: 'delivered', code: 1000, endedAt: ACCEPTED + 5_000, last: false, desc: '' } as const
  const sequence = sequenceOfWall(ACCEPTED)
  store.output({
    type: 'commit', ticket: 1,
    operations: [
      { type: 'put', key: pendingKey(sequence), value: waits },
      { type: 'put', key: doneKey(sequence, 1), value: encodeFinal({ ...final, pushId: 'waits@shop', literal: 'WAPPUSH=ben\u009b2J/TYPE=USER@ppg' }) },
      { type: 'put', key: doneKey(sequence + 1, 0), value: encodeFinal({ ...final, pushId: 'gone@shop', literal: 'WAPPUSH=carl/TYPE=USER@ppg', state: 'undeliverable', code: 4010, confirmed: undefined, binding: undefined, sipStatus: 404, desc: 'not there', last: true }) },
      { type: 'put', key: unacknowledgedKey(sequence + 1, 0), value: MARK },
    ],
  })
  store.flush()
  await done
})
afterEach(async () => {
  await store.close()
  folder.remove()
})

describe('pushbench store', () => {
  it('lists, shows and exports the pushes of a store that a gateway has, and never their contents', { timeout: 60_000 }, async () => {
    const list = await folder.command(['store', 'list', 'store.v2'])
    expect(list).toMatchObject({ code: 0, stderr: '' })
    expect(list.stdout.split('\n')).toEqual([
      '2026-03-14 09:00:00  pending             waits@shop                        WAPPUSH=anna/TYPE=USER@ppg',
      '2026-03-14 09:00:00  delivered 1000      waits@shop                        WAPPUSH=ben?2J/TYPE=USER@ppg',
      '2026-03-14 09:00:00  undeliverable 4010  gone@shop                         WAPPUSH=carl/TYPE=USER@ppg',
      '',
    ])
    expect((await folder.command(['store', 'list', '--only', 'ended', 'store.v2'])).stdout).toMatch(/^.*gone@shop.*\n$/)
    const show = await folder.command(['store', 'show', 'store.v2', 'gone@shop'])
    expect(show.stdout).toContain('  2026-03-14 09:00:05  undeliverable 4010, SIP 404: not there\n')
    expect(show.stdout).toContain('result notification not acknowledged yet')
    const exported = await folder.command(['store', 'export', 'store.v2'])
    const pushes = exported.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(pushes).toMatchObject([
      { pushId: 'waits@shop', initiator: 'shop', state: 'pending', expiresAt: '2026-03-14T10:00:00.000Z', contentType: 'text/plain', contentOctets: SECRET.length, recipients: [{ state: 'pending', uri: 'sip:anna@ims' }, { state: 'delivered', code: 1000, notification: 'settled' }] },
      { pushId: 'gone@shop', state: 'ended', recipients: [{ address: 'WAPPUSH=carl/TYPE=USER@ppg', state: 'undeliverable', code: 4010, sipStatus: 404, desc: 'not there', notification: 'unacknowledged' }] },
    ])
    const shown = JSON.parse((await folder.command(['store', 'show', 'store.v2', 'waits@shop', '--json'])).stdout) as unknown
    expect(shown).toEqual(pushes[0])
    for (const { stdout } of [list, show, exported]) expect(stdout).not.toContain(SECRET)
  })

  it('says what is wrong with a folder, a push-id, a word', { timeout: 60_000 }, async () => {
    expect(await folder.command(['store', 'list', 'nowhere'])).toMatchObject({ code: 1, stdout: '', stderr: 'there is no store in nowhere: name the folder that the gateway\'s configuration calls `store`\n' })
    expect(await folder.command(['store', 'show', 'store.v2', 'other@shop'])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('has the push-id "other@shop"') })
    expect(await folder.command(['store', 'burn', 'store.v2'])).toMatchObject({ code: 1, stderr: 'there is no command "store burn"; there are list, show, export\nTry "pushbench --help".\n' })
  })
})
