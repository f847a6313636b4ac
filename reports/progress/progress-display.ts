import type { Progress } from '../../helpers/evidence/progress.ts'

/** Shows how far the long steps of drills have come, while lines are printed that stay. */
export interface ProgressDisplay {
  /** @param test tells drills apart. @param id of the drill, for the reader. */
  show(test: string, id: string, progress: Progress): void
  /** None of this drill's steps goes on. */
  forget(test: string): void
  /** Nothing goes on any more: the terminal is as it was before. Works twice. */
  close(): void
}
