import type { BundlePath } from './files.ts'
import { quoted, Refusal } from './refusal.ts'

export const SUMS_FILE = 'SHA256SUMS'
export const ATTESTATION_FILE = 'attestation.dsse.json'

/** SHA-256 as hex, by path. */
export type Sums = ReadonlyMap<BundlePath, string>

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' }
const LINE = /^\\?([0-9a-f]{64}) {2}(.+)$/s

/**
 * The format of `sha256sum`, sorted by the bytes of the names: there is one text for a set of files.
 * @see GNU coreutils manual, "cksum output modes": a name with a backslash or a line break is escaped, and its line begins
 * with a backslash
 */
export function formatSums(sums: Sums): Buffer {
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, hash]) => `${lineOf(path, hash)}\n`)
  return Buffer.from(lines.join(''), 'latin1')
}

function lineOf(path: BundlePath, hash: string): string {
  const escaped = path.replaceAll(/[\\\n\r]/g, character => ESCAPES[character] ?? character)
  return `${escaped === path ? '' : '\\'}${hash}  ${escaped}`
}

/**
 * Only what `formatSums` could have written: in order, each file once, none outside of the bundle.
 * @throws {Refusal} with the number of the first line that it would not have written.
 */
export function parseSums(bytes: Buffer): Sums {
  const lines = bytes.toString('latin1').split('\n')
  if (lines.pop() !== '') throw new Refusal(`${SUMS_FILE} is cut off: its last line does not end`)
  const sums = new Map<BundlePath, string>()
  let before = ''
  for (const [index, line] of lines.entries()) {
    const refuse = (what: string) => new Refusal(`line ${index + 1} of ${SUMS_FILE} ${what}`)
    const [, hash = '', escaped = ''] = LINE.exec(line) ?? []
    const path = line.startsWith('\\') ? unescaped(escaped) : escaped
    if (lineOf(path, hash) !== line) throw refuse(`is not a SHA-256 and a name: ${quoted(line)}`)
    if (sums.has(path)) throw refuse(`names ${quoted(path)} a second time`)
    if (path < before) throw refuse(`is out of order: ${quoted(path)} stands behind ${quoted(before)}`)
    if (!isWithin(path)) throw refuse(`names ${quoted(path)}, which is no path within a bundle`)
    if (path === SUMS_FILE || path === ATTESTATION_FILE) throw refuse(`names ${path}, which is never in it`)
    sums.set(path, hash)
    before = path
  }
  return sums
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? letter)
}

function isWithin(path: BundlePath): boolean {
  return !path.includes('\0') && path.split('/').every(part => !['', '.', '..'].includes(part))
}
