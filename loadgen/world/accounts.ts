/**
 * The books of a simulated day: journals are joined as they are written, some push-ids to a book, and a book is closed into
 * totals when all its pushes have ended, so that a day of millions needs the memory of those that are under way. Joins and
 * judges as a live run does (loadgen/reconcile); knows no machine.
 */
import type { JournalEvent } from '../../core/kit/journal.js'
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import { intervalsOf } from '../reconcile/intervals.js'
import { ledgerOf } from '../reconcile/ledger.js'
import { bindingsOf, causesOf, measure, type SampleSink, type Window } from '../reconcile/measures.js'
import { Presence, Reconciler } from '../reconcile/reconciler.js'
import type { RowName } from '../scenario.js'
import { addTotals, noTotals, type Totals } from './totals.js'

export interface AccountsOptions {
  /** Every push-id is this, the attempt's number and `@...` behind it. */
  readonly pushIdPrefix: string
  readonly window: Window
  readonly intervalMicros: Micros
  readonly limits: Readonly<Record<RowName, Micros>>
  /** Whether result notifications are asked for: then a push has ended when its own has come. */
  readonly notifies: boolean
  readonly sink: SampleSink
  /** Planned time to the first device, by binding. */
  readonly bindingSink: (binding: string, micros: Micros) => void
}

/** Attempts in one book. */
const ATTEMPTS_PER_BOOK = 65_536
/** How long after its last event a book is kept: a copy that comes late is still found to be one. */
const KEPT_MICROS: Micros = 600 * MICROS_PER_SECOND

/** Some push-ids until all have ended. */
class Book {
  readonly reconciler: Reconciler
  /** Attempts planned and not ended. */
  open = 0
  lastAt: Micros = 0

  constructor(presence: Presence, firstAttempt: number) {
    this.reconciler = new Reconciler(presence, firstAttempt)
    this.reconciler.group(GROUP)
  }
}

const GROUP = 'virtual'

export type JournalPart = 'initiator' | 'gateway' | 'ims' | 'terminals'

export class Accounts {
  private readonly books = new Map<number, Book>()
  private readonly totals: Totals
  /** Events about push-ids of books that were closed. */
  private late = 0
  private closedBelow = 0

  /** @param presence of the devices, of which it is told nothing here */
  constructor(private readonly presence: Presence, private readonly options: AccountsOptions) {
    this.totals = noTotals(Math.max(1, Math.ceil((options.window.to - options.window.from) / options.intervalMicros)))
  }

  take(part: JournalPart, event: JournalEvent): void {
    const book = this.bookOf(event.pushId)
    if (book === undefined) {
      this.late += 1
      return
    }
    book.lastAt = event.mono
    if (part === 'initiator') this.initiator(book, event)
    else if (part === 'gateway') {
      if (event.event === 'outcome' && !this.options.notifies) book.open -= 1
      book.reconciler.gateway(event)
    } else if (part === 'ims') book.reconciler.ims(event)
    else book.reconciler.terminal(GROUP, event)
  }

  /** Closes the books of which nothing is to be expected any more. @param nextAttempt all attempts below it are planned */
  close(now: Micros, nextAttempt: number): void {
    for (const [number, book] of this.books) {
      if (book.open <= 0 && now - book.lastAt >= KEPT_MICROS && (number + 1) * ATTEMPTS_PER_BOOK <= nextAttempt) this.closeBook(number, book)
    }
  }

  /** Closes what is left. */
  end(): Totals {
    for (const [number, book] of this.books) this.closeBook(number, book)
    if (this.late > 0) {
      this.totals.balanced = false
      this.totals.notes.set(`journal lines about pushes that had ended ${KEPT_MICROS / MICROS_PER_SECOND} s before`, this.late)
    }
    return this.totals
  }

  private initiator(book: Book, event: JournalEvent): void {
    switch (event.event) {
      case 'planned':
        book.open += 1
        break
      case 'answered':
        if (!event.details[0]!.startsWith('1')) book.open -= 1
        break
      case 'unanswered':
      case 'notified':
        book.open -= 1
        break
      default:
    }
    book.reconciler.initiator(event)
  }

  private bookOf(pushId: string): Book | undefined {
    const number = Math.floor(numberIn(pushId, this.options.pushIdPrefix.length) / ATTEMPTS_PER_BOOK)
    const known = this.books.get(number)
    if (known !== undefined || number < this.closedBelow) return known
    const book = new Book(this.presence, number * ATTEMPTS_PER_BOOK)
    this.books.set(number, book)
    return book
  }

  private closeBook(number: number, book: Book): void {
    const { window, intervalMicros, limits, notifies, sink, bindingSink } = this.options
    this.books.delete(number)
    this.closedBelow = Math.max(this.closedBelow, number + 1)
    const tables = book.reconciler.tables()
    const { ledger, findings } = ledgerOf(tables, notifies)
    const totals: Totals = {
      ...noTotals(0),
      ledger: { ...ledger },
      balanced: findings.balanced,
      lost: [...findings.lost],
      duplicated: [...findings.duplicated],
      notes: new Map(findings.notes.map(counted)),
      // No bad peers live in this world.
      rows: measure(tables, window, limits, sink, () => []),
      intervals: intervalsOf(tables, window, intervalMicros),
      causes: new Map(causesOf(tables, 0).map(({ outcome, cause, count }) => [`${outcome}\t${cause}`, count])),
      bindings: new Map(bindingsOf(tables, window, bindingSink).map(({ name, pushes, delivered }) => [name, { pushes, delivered }])),
      groups: new Map(tables.groups),
      deviceStatuses: new Map(tables.deviceStatuses),
    }
    addTotals(this.totals, totals)
  }
}

/** The number that begins there. */
function numberIn(text: string, at: number): number {
  let number = 0
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) number = number * 10 + code - 48
  return number
}

/** `3 outcomes were not notified` as its words and their number. */
function counted(note: string): [string, number] {
  const match = /^(\d+) (.*)$/s.exec(note)
  return match === null ? [note, 1] : [match[2]!, Number(match[1])]
}
