import type { Rto } from '../evidence/evidence.ts'
import type { RecoveryCourse } from './recovery-course.ts'

/** Measures a recovery from the incident on, phase by phase, without gaps. */
export class RecoveryTime {
  readonly #phases: { name: string; endedAtMs: number }[] = []
  readonly #incidentAtMs: number

  /** @param nowMs monotonic, in milliseconds. */
  constructor(private readonly nowMs: () => number = () => performance.now()) {
    this.#incidentAtMs = nowMs()
  }

  /** Ends the phase that began with the one before. @param atMs when it ended, where that was seen elsewhere. */
  ended(name: string, atMs = this.nowMs()): void {
    this.#phases.push({ name, endedAtMs: Math.max(atMs, this.#phases.at(-1)?.endedAtMs ?? this.#incidentAtMs) })
  }

  /** Ends a phase for each event of a recovery that was seen since this was called last. */
  follow({ events }: RecoveryCourse): void {
    for (const { name, atMs } of events) {
      // Replay is a part of two phases: it begins before the first consistent point and ends at the target.
      if (name === 'replaying' || this.#phases.some(phase => phase.name === name)) continue
      this.ended(name, atMs)
    }
  }

  /** @param objectiveSeconds what the user set; none: the verdict says so. */
  measured(objectiveSeconds?: number): Rto {
    const phases = this.#phases.map(({ name, endedAtMs }, index) => ({
      name,
      seconds: (endedAtMs - (this.#phases[index - 1]?.endedAtMs ?? this.#incidentAtMs)) / 1000,
    }))
    const seconds = ((this.#phases.at(-1)?.endedAtMs ?? this.#incidentAtMs) - this.#incidentAtMs) / 1000
    if (objectiveSeconds === undefined) return { seconds, phases, verdict: 'no objective' }
    return { seconds, phases, objectiveSeconds, verdict: seconds <= objectiveSeconds ? 'met at this size' : 'missed' }
  }
}
