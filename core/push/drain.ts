/**
 * A clean stop: nothing new is taken or begun, what is under way ends, and the journal is told of every recipient that
 * stays in the store without an outcome. Then `drained`. Knows when the others are idle, nothing of what they do.
 */
import type { Now } from '../kit/time.js'
import { RowKind, kindEnd, kindStart, type Sequence } from '../store/keys.js'
import type { SubmissionRecord } from '../store/records.js'
import type { Admission } from './admission/admit.js'
import type { GatewayContext } from './context.js'
import type { Deliveries } from './delivery/deliveries.js'
import type { Notifier } from './notification/notify.js'
import { PendingWalk, type PendingVisitor } from './pending-walk.js'
import type { Retention } from './retention.js'
import type { SessionBinding } from './bindings/session-binding.js'

export class Drain implements PendingVisitor {
  private state: 'running' | 'finishing' | 'telling' | 'drained' = 'running'
  private walk: PendingWalk | undefined = undefined

  constructor(
    private readonly context: GatewayContext,
    private readonly admission: Admission,
    private readonly deliveries: Deliveries,
    private readonly sessions: SessionBinding,
    private readonly notifier: Notifier,
    private readonly retention: Retention,
  ) {}

  begin(): void {
    if (this.state !== 'running') return
    this.state = 'finishing'
    this.admission.close()
    this.deliveries.stop()
    this.notifier.stop()
    this.retention.stop()
  }

  pump(): void {
    const { store, out } = this.context
    if (this.state === 'finishing') {
      if (this.admission.requestsOpen > 0 || this.deliveries.attemptsOpen > 0 || !this.sessions.isIdle || this.notifier.underWay > 0) return
      store.flush()
      if (store.open > 0) return
      this.state = 'telling'
      this.walk = new PendingWalk(kindStart(RowKind.Pending), kindEnd(RowKind.Pending), store, this)
    }
    if (this.state !== 'telling' || this.walk === undefined) return
    this.walk.step()
    if (!this.walk.done) return
    this.state = 'drained'
    out.add({ type: 'drained' })
  }

  pending(_now: Now, _sequence: Sequence, submission: SubmissionRecord, open: readonly number[]): void {
    for (const recipient of open) this.context.out.journal('in-flight', submission.pushId, submission.recipients[recipient]!.literal)
  }
}
