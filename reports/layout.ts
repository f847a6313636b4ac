import { stripVTControlCharacters } from 'node:util'
import type { Drill } from '../helpers/evidence/evidence.ts'

/** Text for a terminal of `columns` columns, without colour. */

/**
 * Breaks `text` at spaces; its second and later lines start with `indent` more spaces than its first. Neither a word is ever
 * broken nor a command, however long: in two lines it would not run when it is pasted.
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  return text.split('\n').flatMap(line => wrapLine(line, columns, indent))
}

/** What is quoted as code, and npm's commands, with the variables before them and the path behind. */
const COMMAND = '`[^`]+`|(?:[A-Z_]+=\\S+ )*npm run \\S+(?: -- \\S+)?'

/** What stands between two spaces: a command counts as one word, with what touches it. */
const WORD = new RegExp(`(?:${COMMAND}|[^ ])+`, 'g')

function wrapLine(line: string, columns: number, indent: number): string[] {
  // A line that fits keeps its inner spaces: it may be of a table or of a difference.
  if (line.length <= columns) return [line]
  const margin = /^ */.exec(line)?.[0] ?? ''
  const hanging = margin + ' '.repeat(indent)
  const lines: string[] = []
  let current = margin
  for (const [word] of line.matchAll(WORD)) {
    const isFirst = current.trim() === ''
    const longer = isFirst ? current + word : `${current} ${word}`
    if (longer.length <= columns || isFirst) current = longer
    else {
      lines.push(current)
      current = hanging + word
    }
  }
  return [...lines, current]
}

/** Seconds to three digits that count: `0.21 s`, `48.3 s`, `1204 s`. */
export function secondsText(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : seconds < 100 ? 1 : 0)} s`
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3), units.length - 1)
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power]}`
}

/** `1 drill`, `12 drills`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What a time was measured at, as far as it was measured. */
export function sizesText({ baseBackupBytes, databaseBytes, replayedWalBytes, rows }: Drill['sizes']): string {
  const told = [
    baseBackupBytes !== undefined && `${bytesText(baseBackupBytes)} of base backup`,
    databaseBytes !== undefined && `${bytesText(databaseBytes)} of database`,
    replayedWalBytes !== undefined && `${bytesText(replayedWalBytes)} of WAL replayed`,
    rows !== undefined && counted(rows, 'row'),
  ]
  return told.filter(one => one !== false).join(', ')
}

/** What comes from servers and scripts must not steer the terminal: colours and control characters go. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\t', '  ')
    .replaceAll(/(?!\n)\p{Cc}/gu, '')
}
