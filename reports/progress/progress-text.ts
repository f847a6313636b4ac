import type { Progress } from '../../helpers/evidence/progress.ts'
import { bytesText, harmless, secondsText } from '../layout.ts'

const BAR_COLUMNS = 16
/** A bar that is no wider outlives most resizes of a terminal unbroken. */
const MOST_COLUMNS = 76
/** One that has come along for less has no rate yet. */
const RATE_AFTER_SECONDS = 1

/** What goes on, in one line that is shorter than the terminal is wide: a full one would break there. */
export function barText(progress: Progress, columns: number): string {
  const most = Math.min(columns - 1, MOST_COLUMNS)
  const what = harmless(progress.what).replaceAll('\n', ' ')
  const bar = progress.of === undefined ? '' : `${drawn(shareOf(progress))}  `
  // Where there is a place, it says more than how many bytes that is.
  const reached = percent(progress) + (placeOf(progress) ?? amounts(progress))
  const lines = [`${bar}${reached}${left(progress)}`, `${reached}${left(progress)}`, reached]
  return lines.map(line => `${what}  ${line}`).find(line => line.length <= most) ?? what.slice(0, most)
}

/** The same as a sentence, for where nothing can be drawn. */
export function progressSentence(progress: Progress): string {
  const { what, of, done, seconds, hasEnded } = progress
  if (!hasEnded) return `${what}: ${howFar(progress)}${left(progress)}`
  const isWhole = of === undefined || done >= of
  return isWhole
    ? `${what}: ${amount(progress, done)} in ${secondsText(seconds)}`
    : `${what}: ended at ${howFar(progress)} after ${secondsText(seconds)}`
}

/** Of the whole, between nought and one; nought where nobody knows the whole. */
function shareOf({ done, of }: Progress): number {
  if (of === undefined) return 0
  return of === 0 ? 1 : Math.min(1, done / of)
}

function drawn(share: number): string {
  const full = Math.floor(share * BAR_COLUMNS)
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full)
}

function howFar(progress: Progress): string {
  return [`${percent(progress)}${amounts(progress)}`, placeOf(progress)].filter(Boolean).join(', ')
}

function percent(progress: Progress): string {
  return progress.of === undefined ? '' : `${Math.floor(shareOf(progress) * 100)} %, `
}

function amounts(progress: Progress): string {
  const { done, of } = progress
  return of === undefined
    ? amount(progress, done)
    : `${amount(progress, Math.min(done, of))} of ${amount(progress, of)}`
}

function placeOf({ at }: Progress): string | undefined {
  return at === undefined ? undefined : harmless(at).replaceAll('\n', ' ')
}

function amount({ unit }: Progress, count: number): string {
  return unit === 'bytes' || unit === 'WAL bytes' ? bytesText(count) : String(count)
}

/** At the rate that it has come along so far. */
function left(progress: Progress): string {
  const { done, of, seconds } = progress
  if (of === undefined || done <= 0 || done >= of || seconds < RATE_AFTER_SECONDS) return ''
  return `, about ${roughly(((of - done) * seconds) / done)} left`
}

function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.round(seconds / 3600)} h`
}
