import path from 'node:path'

/** Emptied at a reboot, or by a cleaner. */
const VOLATILE_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm', '/run', '/var/run']

/** A command that succeeds and does nothing else, as a whole or after another that it hides the failure of. */
const DOES_NOTHING = /^\s*(?:(?:(?:\/usr)?\/bin\/)?true|:|exit\s+0)(?:\s+[^;|&]*)?$/
const HIDES_FAILURE = /\|\|\s*(?:(?:(?:\/usr)?\/bin\/)?true|:|exit\s+0)\s*(?:#.*)?$/

/** An absolute path, at the start of a word or behind `=` or `>`; `host:/path` and `s3://…` are elsewhere. */
const ABSOLUTE_PATH = /(?<![\w.:/%@$}\-+~*])\/[^\s`;|&<>()]*/g
/** A relative path to where the segment goes, as in `cp %p archive/%f`: the server runs the command in its data directory. */
const RELATIVE_DESTINATION = /(?<=[\s=>])(?![/$~-])[^\s`;|&<>():$=]*\/%f/g
/** Error output may go anywhere. */
const ERROR_OUTPUT = /(?:2|&)>>?\s*\S+/g

/**
 * What is wrong with an `archive_command` as far as its text tells, in a sentence; `undefined` when nothing is. Reads the
 * shell's words, not the shell: what a script or a variable hides stays hidden.
 * @param dataDirectory undefined when the role may not see it.
 * @see PostgreSQL documentation, "Setting Up WAL Archiving"
 */
export function judgeArchiveCommand(
  command: string,
  { dataDirectory, durablePaths = [] }: { dataDirectory?: string | undefined; durablePaths?: readonly string[] } = {},
): string | undefined {
  if (command.trim() === '') return 'There is no command: segments pile up in pg_wal.'
  if (DOES_NOTHING.test(command))
    return 'The command succeeds and stores nothing: every segment is lost, and the statistics look healthy.'
  if (HIDES_FAILURE.test(command)) return 'The command succeeds whether or not it has stored the segment.'
  if (!/%[pf]/.test(command)) return 'The command names neither %p nor %f: it cannot know which segment to store.'
  for (const place of destinations(command, dataDirectory)) {
    if (dataDirectory !== undefined && isBelow(place, dataDirectory))
      return `It stores into the data directory (${place}), which is lost together with the server.`
    const folder = VOLATILE_FOLDERS.find(volatile => isBelow(place, volatile))
    if (folder && !durablePaths.some(durable => isBelow(place, durable)))
      return `It stores below ${folder} (${place}), which is not durable.`
  }
  return undefined
}

/** Paths with the segment's name in them, since those receive it; where there is none, every absolute path. */
function destinations(command: string, dataDirectory: string | undefined): string[] {
  const text = unquote(command).replace(ERROR_OUTPUT, '')
  const absolute = text.match(ABSOLUTE_PATH) ?? []
  // `pg_wal/%f` is what %p stands for: the segment itself.
  const relative = (text.match(RELATIVE_DESTINATION) ?? []).filter(
    place => place !== 'pg_wal/%f' && place !== './pg_wal/%f',
  )
  const named = [
    ...absolute.filter(place => place.includes('%f')),
    ...(dataDirectory === undefined ? [] : relative.map(place => path.posix.join(dataDirectory, place))),
  ]
  return (named.length > 0 ? named : absolute).map(place => path.posix.normalize(place))
}

/** A quoted path becomes one word, whatever is in it; of anything else (`sh -c '…'`) only the quotes go. */
function unquote(command: string): string {
  return command.replace(/(["'])(.*?)\1/g, (_, _quote, inner: string) =>
    /^[/$.~]|^\S*$/.test(inner) ? inner.replace(/\s/g, '_') : ` ${inner} `,
  )
}

function isBelow(place: string, folder: string): boolean {
  const relative = path.posix.relative(folder, place)
  return relative !== '..' && !relative.startsWith('../')
}
