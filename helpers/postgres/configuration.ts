/** A setting as it stands in a configuration file. */
export interface ConfigurationLine {
  /** Relative to the data directory. */
  file: string
  line: number
  /** In lower case: PostgreSQL does not tell them apart. `include`, `include_dir` and `include_if_exists` are names like any other. */
  name: string
  value: string
}

/** A value in quotes, in which two quotes or a backslash before one stand for one, or without any. */
const LINE =
  /^\s*([A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)*)(?:\s*=\s*|\s+)(?:'((?:[^'\\\n]|\\.|'')*)'|([^\s#'=]+))\s*(?:#.*)?$/

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * Reads a `postgresql.conf`, or another file of its kind. A line that PostgreSQL would not start with is passed over: nothing is
 * started with what is read here.
 * @see PostgreSQL source, `src/backend/utils/misc/guc-file.l`
 */
export function parseConfiguration(text: string, file: string): ConfigurationLine[] {
  return text.split('\n').flatMap((content, index) => {
    const [, name, quoted, plain = ''] = LINE.exec(content) ?? []
    if (name === undefined) return []
    return [{ file, line: index + 1, name: name.toLowerCase(), value: quoted === undefined ? plain : unquoted(quoted) }]
  })
}

function unquoted(text: string): string {
  return text.replaceAll(/\\([0-7]{1,3})|\\(.)|''/g, (_, octal?: string, letter?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
    return letter === undefined ? "'" : (ESCAPES[letter] ?? letter)
  })
}
