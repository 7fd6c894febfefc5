/** Overload control on the wire and at the sender (RFC 7339): what is read, what is written, and how a sender keeps to it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composed } from '../../core/sip/header-text.js'
import { OVERLOAD_OFFER, OverloadThrottle, offersOverloadControl, overloadReportOf, reportedVia } from '../../core/sip/overload-control.js'

const VIA = 'SIP/2.0/TCP gw.example;branch=z9hG4bKx'
const OFFERED = composed(`${VIA}${OVERLOAD_OFFER};rport`)

describe('a Via', () => {
  it('offers overload control with oc and the algorithm loss among those it lists, and not otherwise (section 4.1)', () => {
    expect(offersOverloadControl(OFFERED)).toBe(true)
    expect(offersOverloadControl(`${VIA};oc;oc-algo="rate, loss"`)).toBe(true)
    for (const line of [VIA, `${VIA};oc`, `${VIA};oc-algo="loss"`, `${VIA};oc;oc-algo="rate"`, `${VIA};ocean;oc-algo="loss"`, `no Via;oc;oc-algo="loss"`]) expect(offersOverloadControl(line), line).toBe(false)
  })

  it('that reports is read as it was written, whatever stands around it', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 999_999_999 }), (percent, validity, sequence) => {
      const line = reportedVia(composed(`${OFFERED}, SIP/2.0/UDP other;branch=z9hG4bKy;oc=7;oc-seq=1.1`), percent, validity, sequence)
      expect(line.endsWith(', SIP/2.0/UDP other;branch=z9hG4bKy;oc=7;oc-seq=1.1')).toBe(true)
      expect(overloadReportOf(line)).toEqual({ lossShare: percent / 100, validityMicros: validity * 1_000, sequence })
      expect(offersOverloadControl(line)).toBe(false)
    }))
  })

  it.each([
    ['no value', ';oc;oc-seq=1.1'], ['more than all', ';oc=101;oc-seq=1.1'], ['no number', ';oc=a;oc-seq=1.1'], ['no sequence', ';oc=20'], ['a torn sequence', ';oc=20;oc-seq=1'],
    ['another algorithm', ';oc=20;oc-algo="rate";oc-seq=1.1'], ['an endless time', ';oc=20;oc-validity=99999999;oc-seq=1.1'],
  ])('with %s tells nothing', (_what, params) => {
    expect(overloadReportOf(VIA + params)).toBeUndefined()
  })

  it('tells 500 ms unless it says otherwise (section 4.3)', () => {
    expect(overloadReportOf(`${VIA};oc=20;oc-seq=1282321615.782`)).toEqual({ lossShare: 0.2, validityMicros: 500_000, sequence: 1_282_321_615.782 })
  })
})

describe('a sender', () => {
  /** Sends whenever it may, up to `perSecond`, and counts. */
  const send = (throttle: OverloadThrottle, from: number, seconds: number, perSecond: number): number => {
    let sent = 0
    for (let at = from; at < from + seconds * 1e6; at += 1e6 / perSecond) {
      if (throttle.readyAt(at) > at) continue
      throttle.sent(at)
      sent += 1
    }
    return sent
  }

  it('leaves out the share it was asked to, of what it sent before, for as long as it was asked to', () => {
    const throttle = new OverloadThrottle()
    expect(send(throttle, 0, 3, 1_000)).toBe(3_000)
    throttle.report(3e6, { lossShare: 0.6, validityMicros: 2e6, sequence: 1 })
    const limited = send(throttle, 3e6, 2, 1_000)
    expect(limited).toBeGreaterThan(780)
    expect(limited).toBeLessThan(820)
    expect(send(throttle, 5e6, 1, 1_000)).toBe(1_000)
  })

  it('reckons each share of what it would send, not of what it sends by then', () => {
    const throttle = new OverloadThrottle()
    send(throttle, 0, 3, 1_000)
    throttle.report(3e6, { lossShare: 0.5, validityMicros: 5e6, sequence: 1 })
    send(throttle, 3e6, 1, 1_000)
    throttle.report(4e6, { lossShare: 0.5, validityMicros: 5e6, sequence: 2 })
    const limited = send(throttle, 4e6, 2, 1_000)
    expect(limited / 2).toBeGreaterThan(480)
    expect(limited / 2).toBeLessThan(520)
  })

  it('hears no report twice, and none that is older than the last', () => {
    const throttle = new OverloadThrottle()
    send(throttle, 0, 3, 1_000)
    throttle.report(3e6, { lossShare: 0.9, validityMicros: 1e6, sequence: 5 })
    throttle.report(3e6, { lossShare: 0, validityMicros: 1e6, sequence: 5 })
    throttle.report(3e6, { lossShare: 0, validityMicros: 1e6, sequence: 4 })
    expect(send(throttle, 3e6, 1, 1_000)).toBeLessThan(120)
    throttle.report(3.5e6, { lossShare: 0, validityMicros: 1e6, sequence: 6 })
    expect(throttle.readyAt(3.5e6)).toBe(-Infinity)
  })

  it('sends nothing while all is too much, and again when that time is over', () => {
    const throttle = new OverloadThrottle()
    send(throttle, 0, 3, 100)
    throttle.report(3e6, { lossShare: 1, validityMicros: 1e6, sequence: 1 })
    send(throttle, 3e6, 0.1, 100)
    expect(throttle.readyAt(3.5e6)).toBe(4e6)
    expect(throttle.readyAt(4e6)).toBe(-Infinity)
  })
})
