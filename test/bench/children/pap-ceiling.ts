/**
 * autocannon against the PAP endpoint, back to back: how many submissions a second it can take. autocannon's own
 * rates are bursts and its correction of latencies is wrong, but without a rate it corrects nothing, and only the count is taken.
 */
import autocannon from 'autocannon'
import { SubmissionTemplate } from '../../../loadgen/submission.js'
import { CONTENT, initiatorAddress, userOf } from '../population.js'
import { serve } from './serve.js'

export interface CeilingLoad {
  readonly pap: string
  readonly connections: number
  readonly seconds: number
  readonly users: number
}

let serial = 0

serve({
  load: async ({ pap, connections, seconds, users }: CeilingLoad): Promise<number> => {
    const template = new SubmissionTemplate(CONTENT, undefined, false)
    const result = await autocannon({
      url: pap, connections, duration: seconds, method: 'POST', headers: { 'content-type': template.contentType },
      requests: [{
        setupRequest: (request) => {
          const number = ++serial
          return { ...request, body: template.body(`ceiling-${process.pid}-${number}@pi.example`, initiatorAddress(userOf(number % users))) }
        },
      }],
    })
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} submissions were not taken, ${result.errors} failed`)
    return result['2xx'] / result.duration
  },
})
