/** A run in progress for whoever shows one: second after second of plausible figures. */
import type { Delays, Phase, Progress } from '../../loadgen/live/progress.js'

const delays = (scale: number): Delays => ({ count: 1_000 * scale, p50Us: 1_000 * scale, p90Us: 3_000 * scale, p99Us: 12_000 * scale, maxUs: 45_000 * scale })

/** @param second from the begin of the run */
export function sampleProgress(phase: Phase, second = 12.3, change: Partial<Progress> = {}): Progress {
  const pushes = Math.round(200 * second + 40 * Math.sin(second))
  return {
    scenario: 'reference', runSeconds: second, phase, elapsedSeconds: second, expectedSeconds: 25, leftSeconds: 12.7, registered: 2_571, devices: 2_984, wantedPerSecond: 200, held: false,
    planned: pushes, sent: pushes, accepted: Math.round(pushes * 0.95), refused: Math.round(pushes * 0.05), unanswered: 0, dropped: 0,
    delivered: Math.round(pushes * 0.8), otherOutcomes: Math.round(pushes * 0.04), inFlight: 12, waiting: 431, notified: Math.round(pushes * 0.84),
    submitP50Us: 1_234, submitP99Us: 12_345, submitMaxUs: 40_000, answered: delays(1), resultNow: delays(2), result: delays(3),
    parts: [
      { name: 'IMS', busy: 0.25, cores: 0.31, rssBytesMax: 143 << 20 }, { name: 'gateway', busy: 0.52, cores: 0.64, rssBytesMax: 247 << 20 },
      { name: 'terminals', busy: 0.15, cores: 0.4, rssBytesMax: 168 << 20 }, { name: 'generator', busy: 0.28, cores: 0.3, rssBytesMax: 177 << 20 },
    ],
    causes: [{ words: 'refused: PAP 2007', count: 127 }, { words: 'expired: PAP 3007', count: 64 }, { words: 'undeliverable: SIP 404', count: 3 }],
    ...change,
  }
}
