import { readFileSync, statSync } from 'node:fs'

/** Whose password is looked for. */
export interface PassFileKey {
  /** A folder, which begins with `/`, where it is a Unix socket. */
  host: string
  port: number
  user: string
  database: string
}

/** Where libpq's default socket lies: there, and there alone, a line for `localhost` is meant. */
const DEFAULT_SOCKET_FOLDERS = ['/var/run/postgresql', '/tmp']

/**
 * The password that a password file has for a connection, by libpq's rules: the first line that fits.
 * @returns a `warning` where the file is there and is ignored.
 * @see PostgreSQL documentation, "The Password File"; source, `passwordFromFile` in `fe-connect.c`
 */
export function passwordFromFile(file: string, key: PassFileKey): { password?: string; warning?: string } {
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return { warning: `the password file ${file} is ignored: it is no plain file` }
    if ((stat.mode & 0o077) !== 0)
      return {
        warning: `the password file ${file} is ignored, as by psql: group or others may use it; set its mode to 0600`,
      }
    const password = findPassword(readFileSync(file, 'utf8'), key)
    return password === undefined ? {} : { password }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? {}
      : { warning: `the password file ${file} is ignored: it cannot be read (${code})` }
  }
}

/** Exported for its test. */
export function findPassword(text: string, { host, port, database, user }: PassFileKey): string | undefined {
  const wanted = [DEFAULT_SOCKET_FOLDERS.includes(host) ? 'localhost' : host, String(port), database, user]
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue
    const fields = fieldsOf(line.replace(/\r+$/, ''))
    if (fields.length <= wanted.length) continue
    // A star that is escaped is one.
    if (wanted.every((value, index) => fields[index]?.written === '*' || fields[index]?.value === value))
      return fields[wanted.length]?.value || undefined
  }
  return undefined
}

/** Apart at each colon; a backslash takes away the meaning of what stands behind it. */
function fieldsOf(line: string): { written: string; value: string }[] {
  return (`:${line}`.match(/:(?:\\.|[^:\\]|\\$)*/gs) ?? []).map(found => {
    const written = found.slice(1)
    return { written, value: written.replaceAll(/\\(.)/gs, '$1') }
  })
}
