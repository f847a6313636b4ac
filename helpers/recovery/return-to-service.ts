import type { WalArchive } from '../archive/wal-archive.ts'
import type { Deviation } from '../evidence/evidence.ts'
import { Failure } from '../failure.ts'
import { historyFile } from '../postgres/timeline-history.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { archiveByHand } from './wal-commands.ts'

/**
 * Returns a promoted server to service: archiving again, on its new timeline, into an archive of its own. Its timeline's history
 * is stored by hand, since a server that did not archive when it was promoted never will; without it no later recovery finds
 * its way from an older backup. A base backup is then to be taken.
 * @param archiveCommand with `%p` and `%f` still in it, ready for the server, into `archive`.
 * @returns the first whole segment of the new timeline that the archive has.
 * @throws {Failure} `archive-not-own` for an archive that holds anything, such as the one that the server was restored from, and
 *   `not-promoted` for a server on the first timeline: nothing has changed then; `deadline-passed` when the segment is not archived.
 * @see PostgreSQL documentation, "Timelines"; `writeTimeLineHistory` in `src/backend/access/transam/timeline.c`
 */
export async function returnToService(
  server: PostgresNode,
  archive: WalArchive,
  archiveCommand: string,
): Promise<WalSegment> {
  const timeline = await server.timeline()
  if (timeline === 1) throw new Failure('not-promoted', `${server.name} is on timeline 1: it was never recovered`)
  const [held, ...others] = await archive.files()
  if (held)
    throw new Failure(
      'archive-not-own',
      `${server.name} is not returned to service: the archive ${archive.path} is not its own, with ${held.path} and ${others.length} other files in it`,
      { archive: archive.path, files: others.length + 1 },
    )
  await server.configure({ archive_mode: true, archive_command: archiveCommand })
  // archive_mode is read at the start alone.
  await server.stop()
  await server.start()
  await archiveByHand(server, [historyFile(timeline)], archiveCommand)
  const firstSegment = await server.switchWal()
  await archive.waitFor(firstSegment, server)
  return firstSegment
}

/** What the runbook leaves out: it ends with a server that is healthy, and whose next disk failure would lose all. */
export const RETURN_TO_SERVICE: Deviation = {
  section: '3.7',
  what: 'the recovered server was returned to service: archiving into an archive of its own, its history file stored, a base backup taken',
  why: 'until then nothing that it commits can be recovered; into the old archive it would mix two timelines of one incident',
  proposedText:
    'Return the server to service: switch archiving on into a new archive, restart, store pg_wal/<timeline>.history there by hand, take a base backup at once, and let restore_command read the new archive and then the old one.',
}
