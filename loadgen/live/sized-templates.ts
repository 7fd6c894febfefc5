/** Submissions whose content has a size of its own, as a trace asks: one pair of templates for each size, made when it is first needed. Knows no attempt's recipient. */
import { SubmissionTemplate, type PushSettings } from '../submission.js'
import type { Templates } from './generator.js'

/**
 * @param sizes octets by attempt, -1 for as large as all others
 * @param notifyUrl where result notifications go; undefined for none
 */
export function templatesBySize(push: PushSettings, notifyUrl: string | undefined, sizes: Int32Array): (attempt: number) => Templates | undefined {
  const made = new Map<number, Templates>()
  return (attempt) => {
    const size = sizes[attempt] ?? -1
    if (size < 0) return undefined
    let templates = made.get(size)
    if (templates === undefined) {
      const sized = { ...push, size }
      made.set(size, (templates = { plain: new SubmissionTemplate(sized, notifyUrl, false), expiring: new SubmissionTemplate(sized, notifyUrl, true) }))
    }
    return templates
  }
}
