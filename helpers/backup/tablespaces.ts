import { Failure } from '../failure.ts'
import type { Volume } from '../runtime/volume.ts'

export interface TablespaceLocation {
  oid: string
  /** The folder, as the server finds it. */
  location: string
}

/** A tablespace of a backup in the place it was restored to. */
export interface RestoredTablespace {
  oid: string
  volume: Volume
  /** In the volume. */
  folder: string
}

/**
 * Reads `tablespace_map`: a line each of oid, one space and location, in which a backslash stands before a backslash and
 * before what would end the line. Recovery makes the links of `pg_tblspc` from it.
 * @throws {Failure} `tablespace-map-damaged` for whatever PostgreSQL would not start with.
 * @see PostgreSQL source, `src/backend/access/transam/xlogrecovery.c` (`read_tablespace_map`)
 */
export function parseTablespaceMap(text: string): TablespaceLocation[] {
  const { lines, rest } = splitLines(text)
  if (rest !== '')
    throw new Failure('tablespace-map-damaged', 'the last line of tablespace_map has no end', { line: rest })
  return lines.map(line => {
    // The location may itself begin with a space or hold a line break.
    const [, oid, location] = /^(\d+) (.+)$/s.exec(line) ?? []
    if (oid === undefined || location === undefined)
      throw new Failure(
        'tablespace-map-damaged',
        `tablespace_map has a line that is not an oid and a location: ${JSON.stringify(line)}`,
        { line },
      )
    return { oid, location }
  })
}

/** Backslashes undone; empty lines left out. */
function splitLines(text: string): { lines: string[]; rest: string } {
  const lines: string[] = []
  let line = ''
  for (const [part] of text.matchAll(/\\.|./gs)) {
    if (part !== '\n' && part !== '\r') line += part.length === 2 && part.startsWith('\\') ? part.slice(1) : part
    else if (line !== '') {
      lines.push(line)
      line = ''
    }
  }
  return { lines, rest: line }
}

/** The text of a `tablespace_map`. @throws {RangeError} for an oid that is not a number, or a location that is not an absolute path. */
export function renderTablespaceMap(tablespaces: readonly TablespaceLocation[]): string {
  return tablespaces
    .map(({ oid, location }) => {
      if (!/^\d+$/.test(oid)) throw new RangeError(`'${oid}' is not the oid of a tablespace`)
      if (!location.startsWith('/') || location.includes('\0'))
        throw new RangeError(`'${location}' is not an absolute path`)
      return `${oid} ${location.replaceAll(/[\\\n\r]/g, '\\$&')}\n`
    })
    .join('')
}

/**
 * The `tablespace_map` for a restored data directory, to be written once the files have been checked against the
 * manifest, of which the old one is part.
 * @throws {Failure} `tablespace-not-restored` when a tablespace has no new place: a server started so would write into
 * the folder of the server that the backup was taken of.
 */
export function moveTablespaces(tablespaceMap: string, restored: readonly RestoredTablespace[]): string {
  const places = new Map(restored.map(({ oid, volume, folder }) => [oid, `${volume.path}/${folder}`]))
  const moved = parseTablespaceMap(tablespaceMap).map(({ oid, location }) => {
    const place = places.get(oid)
    if (place === undefined)
      throw new Failure(
        'tablespace-not-restored',
        `tablespace ${oid} (${location}) was not restored to a place of its own`,
        { oid, location },
      )
    return { oid, location: place }
  })
  return renderTablespaceMap(moved)
}
