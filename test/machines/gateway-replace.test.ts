/** Replacement: what waits of the earlier push is cancelled and the new one accepted, both or neither, by either method. */
import { describe, expect, it } from 'vitest'
import { decodePap } from '../../core/pap/decode.js'
import { Header } from '../../core/sip/header-names.js'
import type { PushMessage } from '../../core/pap/documents.js'
import { GatewayWorld, PEER, thirdPartyRegister, user, type CoreNetwork } from './gateway-world.js'
import { branch, notified, status } from './operations-world.js'

const NOTIFY = { notifyRequestedTo: 'http://pi.example/n' }
const SECOND = 1_000_000
const CORE: CoreNetwork = (request) => Number(/sip:s(\d+)/.exec(request.requestUri)?.[1] ?? 0) || undefined
type Replace = Partial<PushMessage> & { readonly by?: string }

/** `old` waits for two users, is delivered to one, refused by one and under way to one (`ben`). */
function saved(): GatewayWorld {
  const world = new GatewayWorld({ core: CORE })
  world.submit({ pushId: 'old', addresses: ['s480', 's503', 's200', 's404', 'ben'].map(user), ...NOTIFY })
  return world
}

function replace(world: GatewayWorld, addresses: readonly string[], { by, ...fields }: Replace = {}): number | undefined {
  return world.code(world.submit({ pushId: 'new', replacePushId: 'old', addresses: addresses.map((name) => (name.includes('=') ? name : user(name))), ...NOTIFY, ...fields }, by === undefined ? {} : { initiator: by }))
}

/** Takes every push, and writes down which for whom. */
function recorder(received: string[]): CoreNetwork {
  return (request) => { received.push(`${request.get(Header.XPushId)!} ${/sip:(\w+)/.exec(request.requestUri)![1]}`); return 200 }
}

/** What the terminals of the users who were away get once they register. */
function afterwards(world: GatewayWorld): string[] {
  const received: string[] = []
  world.core = recorder(received)
  for (const name of ['s480', 's503']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600), PEER)
  world.advance(20 * SECOND)
  return received.sort()
}

describe('a replacement', () => {
  it('of all: what waits for those listed is cancelled and told, the new push goes to all listed, the rest of the old one is left alone', () => {
    const world = saved()
    expect(replace(world, ['s480', 's200', 'ben', 'carl'])).toBe(1001)
    expect(status(world, 'old')).toEqual(['cancelled 1000 s480', 'pending 1000 s503 ben', 'delivered 1000 s200', 'undeliverable 2002 s404'])
    expect(notified(world)).toContain('old s480 cancelled 1000')
    expect(status(world, 'new')).toEqual(['pending 1000 s480 ben carl', 'delivered 1000 s200'])
    expect(afterwards(world)).toEqual(['new s480', 'old s503'])
  })

  it('of what is pending only: the new push goes where the old one was cancelled, and is rejected 2008 for the others', () => {
    const world = saved()
    expect(replace(world, ['s480', 's200', 'ben', 'carl', 's503'], { replaceMethod: 'pending-only' })).toBe(1001)
    expect(status(world, 'old')).toEqual(['cancelled 1000 s480 s503', 'delivered 1000 s200', 'undeliverable 2002 s404', 'pending 1000 ben'])
    // 2008 may not stand in a statusquery-result; the notification has it.
    expect(status(world, 'new')).toEqual(['pending 1000 s480 s503', 'rejected 4000 s200 ben carl'])
    expect(notified(world).filter((line) => line.startsWith('new')).sort()).toEqual(['new ben rejected 2008', 'new carl rejected 2008', 'new s200 rejected 2008'])
    expect(world.gateway.counters).toMatchObject({ accepted: 10, inFlight: 3, rejected: 3, cancelled: 2, delivered: 1, undeliverable: 1 })
    const received: string[] = []
    branch(world.store, { core: recorder(received) })
    expect(received.sort()).toEqual(['new s480', 'new s503', 'old ben'])
    expect(afterwards(world)).toEqual(['new s480', 'new s503'])
    expect(world.outcomes('new')).toEqual(['rejected 2008 -', 'rejected 2008 -', 'rejected 2008 -', 'delivered 1000 confirmed', 'delivered 1000 confirmed'])
  })

  it('knows a recipient however it is written', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'old', addresses: ['WAPPUSH=+357991/TYPE=PLMN@ppg.example'] })
    expect(replace(world, ['/wappush=+357-99.1/type=plmn@PPG.example'], { replaceMethod: 'pending-only' })).toBe(1001)
    expect(world.outcomes('old')).toEqual(['cancelled 1000 -'])
  })

  it.each<readonly [what: string, fields: Replace, all: number, pendingOnly: number]>([
    ['unknown', { replacePushId: 'nowhere' }, 1001, 2004],
    ['another initiator’s', { by: 'another' }, 1001, 2004],
    ['over or under way for everybody listed', { addresses: ['s200', 's404', 'ben'].map(user) }, 1001, 2008],
    ['for other recipients', { addresses: [user('carl')] }, 1001, 2008],
  ])('of a push that is %s is an ordinary submission, or with pending-only refused, and changes nothing', (_what, fields, all, pendingOnly) => {
    const { store } = saved()
    for (const [replaceMethod, code] of [['all', all], ['pending-only', pendingOnly]] as const) {
      const world = branch(store, { core: CORE })
      expect(replace(world, ['s480'], { ...fields, replaceMethod })).toBe(code)
      expect(status(world, 'old')).toEqual(['pending 1000 s480 s503 ben', 'delivered 1000 s200', 'undeliverable 2002 s404'])
      expect(status(world, 'new', [], fields.by)[0]).toMatch(code === 1001 ? /^(?:pending|delivered)/ : /2004/)
    }
  })

  it('is one commit: at any crash the old push waits and the new one is unknown, or the other way round', () => {
    const world = saved()
    world.holdCommits = true
    world.answer(200)
    world.submit({ pushId: 'new', replacePushId: 'old', addresses: ['s480', 's503'].map(user), ...NOTIFY })
    for (const states of [['pending', 'unknown'], ['pending', 'unknown'], ['cancelled', 'pending']]) {
      const crashed = branch(world.store, { core: () => 480 })
      expect([status(crashed, 'old', [user('s480')])[0]!.split(' ')[0], status(crashed, 'new')[0]!.split(' ')[0]]).toEqual(states)
      world.flush(1)
    }
    expect(world.replies.at(-1)!.body).toContain('1001')
    expect(status(world, 'old')).toEqual(['cancelled 1000 s480 s503', 'delivered 1000 s200 ben', 'undeliverable 2002 s404'])
  })

  it('that finds the store full is 503: the old push goes on, and the new one may be submitted again', () => {
    const world = saved()
    world.storeIsFull = true
    expect(replace(world, ['s480', 's503'])).toBe(503)
    world.storeIsFull = false
    expect(status(world, 'old')).toEqual(['pending 1000 s480 s503 ben', 'delivered 1000 s200', 'undeliverable 2002 s404'])
    expect(replace(world, ['s480'], { replaceMethod: 'pending-only' })).toBe(1001)
    expect(afterwards(world)).toEqual(['new s480', 'old s503'])
    expect(world.gateway.counters.inFlight).toBe(1)
  })

  it('under way holds its push-id, and of two at once the second finds nothing that waits', () => {
    const world = saved()
    world.holdReads = true
    const [first, again, second] = ['new', 'new', 'other'].map((pushId) => world.submit({ pushId, replacePushId: 'old', replaceMethod: 'pending-only', addresses: [user('s480')] }))
    world.releaseReads()
    expect([first, again, second].map((id) => world.code(id!))).toEqual([1001, 2007, 2008])
  })

  it('tells in its progress notes for how many the earlier push was cancelled', () => {
    const world = saved()
    replace(world, ['s480', 's200'], { progressNotesRequested: true })
    const document = decodePap(world.replies.at(-1)!.body)
    if (!document.ok || document.message.type !== 'push-response') throw new Error('no push-response')
    expect(document.message.progressNotes.map(({ stage, note }) => `${stage}: ${note}`)).toContain('replacement: the earlier push was cancelled for 1 of 2 recipients')
  })
})
