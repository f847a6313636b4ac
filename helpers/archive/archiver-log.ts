import { type LogLine, SAID_BY_SERVER } from '../postgres/server-log.ts'

const COMPLAINT =
  /(?:LOG|FATAL|WARNING): {2}(archive command (?:failed|was terminated|exited) .*|archive_mode enabled, yet .*)/

/**
 * What the archiver last said of an archive_command that failed, and before it what the command itself had printed.
 * Undefined when it has said nothing. The command is left out: it may hold a secret.
 * @see PostgreSQL source, `src/backend/archive/shell_archive.c` and `src/backend/postmaster/pgarch.c`
 */
export function lastArchiverComplaint(lines: readonly LogLine[]): string | undefined {
  const at = lines.findLastIndex(({ text }) => COMPLAINT.test(text))
  const complaint = COMPLAINT.exec(lines[at]?.text ?? '')?.[1]
  if (complaint === undefined) return undefined
  const printed = lines[at - 1]?.text
  return printed === undefined || SAID_BY_SERVER.test(printed) ? complaint : `${complaint} (${printed})`
}
