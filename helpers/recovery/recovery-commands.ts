import type { PostgresNode } from '../runtime/postgres-node.ts'

/**
 * A command for a restored server that notes in its own data directory that it ran, and the oldest segment that the server
 * said it needs. One line for each time.
 * @see PostgreSQL documentation, "archive_cleanup_command" and "recovery_end_command"
 */
export function notingCommand(note: string): string {
  return `echo "%r" >> ${note}`
}

/** What a noting command has noted so far: a segment's name for each time it ran. */
export async function readNotes(node: PostgresNode, note: string): Promise<string[]> {
  const files = await node.data.list()
  if (!files.some(({ path }) => path === note)) return []
  return (await node.data.read(note)).toString('utf8').trimEnd().split('\n')
}
