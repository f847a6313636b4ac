import type { Drill, Observations, Step } from '../helpers/evidence/evidence.ts'
import { allSteps } from './build-evidence.ts'

/** The base backup that a drill was about, as a step tells of it. */
export interface BaseBackupTold {
  /** Of a backup of the user's: where it lies. */
  where?: string
  /** The step's title. */
  step: string
  /** ISO 8601, of one that the drill took; of the user's as the backup says it, where it does. */
  takenAt?: string
  /** From where it is replayed to where it is consistent, and on which timeline, as far as the step says it. */
  wal: string
}

/** The first that a drill tells of: a step that saw where replay of one begins. */
export function baseBackupOf({ steps }: Pick<Drill, 'steps'>): BaseBackupTold | undefined {
  const step = allSteps(steps).find(({ observations }) => text(observations.startLsn) && 'stopLsn' in observations)
  return step && toldBy(step)
}

function toldBy({ title, startedAt, observations }: Step): BaseBackupTold {
  const { startLsn, stopLsn, timeline } = observations
  const where = text(observations.backup)
  const takenAt = where === undefined ? startedAt : text(observations.takenAt)
  return {
    ...(where !== undefined && { where }),
    step: title,
    ...(takenAt !== undefined && { takenAt }),
    wal: `${startLsn} to ${text(stopLsn) ?? '?'}${timeline === undefined ? '' : ` on timeline ${timeline}`}`,
  }
}

function text(value: Observations[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
