/** What a trial of a capacity search says, by what its run was found invalid for: the instruments' limits are told apart from the system's. */
import { describe, expect, it } from 'vitest'
import { judge } from '../../loadgen/capacity/judge.js'
import type { CHECKS } from '../../reports/record.js'
import { sampleRecord } from '../reports/sample-record.js'

const found = (check: (typeof CHECKS)[number], words: string) => judge(sampleRecord({ verdict: { valid: false, reasons: [words], checks: [check] } }), 1, 0.95)

describe('a trial', () => {
  it('whose load went on growing has failed, however few were late by then', () => {
    expect(found('growth', 'load: not stationary')).toMatchObject({ result: 'failed', why: 'load: not stationary' })
  })

  it.each(['lag', 'unsent', 'bunched', 'saturation'] as const)('with its instruments at their limit (%s) says nothing about the system', (check) => {
    expect(found(check, 'the generator')).toMatchObject({ result: 'instrument', why: 'the generator' })
  })

  it('in which the gateway turned some away is judged by its rows; one that cannot be believed by none', () => {
    expect(found('limit', 'limit hit: admission')).toMatchObject({ result: 'passed' })
    expect(found('ledger', 'ledger: 1 was lost')).toMatchObject({ result: 'invalid', why: 'ledger: 1 was lost' })
  })
})
