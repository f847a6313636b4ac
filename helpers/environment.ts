import { readFileSync } from 'node:fs'
import dotenv from 'dotenv'
import { hideRecognised, isPath, saysSecret } from './evidence/redact-patterns.ts'
import { CannotRun } from './failure.ts'

/** The user's settings do not hold together: all that is wrong with them, so that it can be put right in one go. */
export class ConfigMistakes extends CannotRun {
  constructor(
    /** A sentence each, that says what to do. */
    readonly mistakes: readonly string[],
  ) {
    super(mistakes.join('\n'))
  }
}

/** What the user has set, wherever it was set, and what is wrong with how that was done. */
interface Variables {
  /** By name, trimmed; what is empty is left out. Secrets included. */
  readonly values: Readonly<Record<string, string>>
  /** A sentence each. */
  readonly mistakes: readonly string[]
}

/**
 * Reads the variables of one kind from `environment` and, where that has none, from `envFile`, which need not exist. An empty
 * value means unset. Changes neither.
 * @param isRead whether a name is one of them.
 */
export function readVariables(
  isRead: (name: string) => boolean,
  environment: NodeJS.ProcessEnv = process.env,
  envFile = '.env',
): Variables {
  const file = readEnvFile(envFile, isRead)
  const values = Object.fromEntries(
    Object.entries({ ...file.values, ...environment })
      .filter(([name]) => isRead(name))
      .map(([name, value]) => [name, value?.trim() ?? ''] as const)
      .filter(([, value]) => value !== ''),
  )
  const cut = Object.keys(file.cut)
    .filter(name => !(name in environment))
    .map(
      name =>
        `${name} is cut off at an unquoted # in ${envFile}: put the whole value in quotes, or the comment on a line of its own`,
    )
  return { values, mistakes: [...file.mistakes, ...cut] }
}

/** What several loaders read. @throws {ConfigMistakes} with all that is wrong in any of them. */
export function loadTogether<T extends readonly unknown[]>(...loaders: { [K in keyof T]: () => T[K] }): T {
  const mistakes: string[] = []
  const load = <T>(loader: () => T): T | undefined => {
    try {
      return loader()
    } catch (error) {
      if (!(error instanceof ConfigMistakes)) throw error
      mistakes.push(...error.mistakes)
      return undefined
    }
  }
  const loaded = loaders.map(loader => load(loader)) as unknown as T
  // A file that cannot be read is told by each.
  if (mistakes.length > 0) throw new ConfigMistakes([...new Set(mistakes)])
  return loaded
}

const HIDDEN = '***'

/** `PGPASSWORD`, `--api-key`, `"token"`: recognised by the middle of the name; a closing quote belongs to it. */
const SECRET_NAME = String.raw`(?:pass|pwd|secret|token|key|credential|authorization)[\w.-]{0,80}\\?["']?`

/** One plain or plainly quoted word; where the quoting is any harder, the rest of the line. */
const SECRET_VALUE = String.raw`(?:'[^'\\]*'(?=\s|$)|"[^"\\]*"(?=\s|$)|[^\s'"\\]+(?=\s|$)|[^\n]+)`

/** Of a private key, however long, and to the end of the text where it is cut off. */
const PRIVATE_KEY = /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]+?(?=-----END [A-Z ]*PRIVATE KEY-----|$)/g

const SECRETS = [
  PRIVATE_KEY,
  // Up to the last @: a password that was not encoded may hold one.
  /(:\/\/)\S*(?=@)/g,
  new RegExp(String.raw`(${SECRET_NAME}\s*:\s*)[^\n]+`, 'gi'),
  new RegExp(String.raw`(${SECRET_NAME}\s*=\s*|(?<=(?:^|[\s'"])-[\w.-]{0,80})${SECRET_NAME}\s+)${SECRET_VALUE}`, 'gi'),
]

/**
 * Hides the credentials of URLs and whatever is assigned to something named like a secret (`PGPASSWORD=…`, `--token …`,
 * `Authorization: …`). Hides too much rather than too little. A secret without such a name beside it is not recognised.
 */
export function redact(text: string): string {
  const named = SECRETS.reduce((rest, secret) => rest.replace(secret, `$1${HIDDEN}`), text)
  return hideRecognised(named, HIDDEN)
}

/** One word of the shell, however quoted; a quote that is not closed runs to the end. */
const SHELL_WORD = String.raw`(?:'[^']*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|\\.|\$\([^)]*(?:\)|$)|\x60[^\x60]*(?:\x60|$)|[^\s;|&()'"\\\x60])*`

const ASSIGNMENT = String.raw`[A-Za-z_]\w*\+?=${SHELL_WORD}`

/** Where the shell, or a program that runs another, takes NAME=value for an assignment and not for an argument, as `dd if=%p` is. */
const BEFORE_ASSIGNMENT = String.raw`(?:^|[;|&({\x60]|(?<=^|\s)["'](?=\S)|(?<![\w.-])(?:env|export|declare|local|readonly|sudo|exec|time|then|do|else|if|while|-e|--env)(?=[\s=])(?:\s+-[^\s=]+(?=\s))*=?)\s*`

const ASSIGNMENTS = new RegExp(`(${BEFORE_ASSIGNMENT})(${ASSIGNMENT}(?:\\s+${ASSIGNMENT})*)`, 'g')

const SECRETS_OF_COMMANDS = [
  // curl -u NAME:PASSWORD
  new RegExp(String.raw`((?<=^|\s)(?:-u\s*|--(?:proxy-)?user[\s=]+))(?=\S*:)${SHELL_WORD}`, 'g'),
  new RegExp(String.raw`(sshpass\s+-p\s*)${SHELL_WORD}`, 'g'),
  // NAME:PASSWORD@host, without a protocol
  /((?<=^|[\s'"=]))[^\s:@/'"]+:[^\s@/]+(?=@)/g,
]

/**
 * As `redact`, of a command line: hides whatever is assigned to a variable too, whatever its name, since a command is given its
 * secrets so. For people to read: whether the command is right is to be judged by the whole.
 */
export function redactCommand(command: string): string {
  const unassigned = command.replace(
    ASSIGNMENTS,
    (_, before: string, assignments: string) =>
      before +
      assignments.replace(new RegExp(ASSIGNMENT, 'g'), one => `${one.slice(0, one.indexOf('=') + 1)}${HIDDEN}`),
  )
  return redact(SECRETS_OF_COMMANDS.reduce((rest, secret) => rest.replace(secret, `$1${HIDDEN}`), unassigned))
}

/** What the user has set, and secrets in it that nothing but the user's word shows to be any. */
interface Settings {
  readonly variables: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
}

/**
 * The secrets that `redact` and `redactCommand` would hide in what the user has set, as they are: what an application or a script
 * is given it may repeat, without the name beside it by which it would be known. What is assigned to a variable that is not named
 * like a secret is not among them: it may be a path or a word that occurs all over the evidence.
 */
export function secretsOf({ variables, secrets: named = [] }: Settings): string[] {
  const secrets = Object.values(variables).flatMap(text =>
    [...SECRETS, ...SECRETS_OF_COMMANDS].flatMap(pattern =>
      [...text.matchAll(pattern)].map(([whole, before = '']) => whole.slice(before.length)),
    ),
  )
  // Of a URL's credentials, the password alone as well; of a quoted value, what is in the quotes.
  const parts = secrets.flatMap(secret => [
    secret,
    secret.slice(secret.indexOf(':') + 1),
    secret.replaceAll(/^["']|["']$/g, ''),
    secret.slice(secret.indexOf(':') + 1).replaceAll(/^["']|["']$/g, ''),
  ])
  return [...new Set([...parts, ...named])].filter(part => part.length >= SHORTEST_SECRET)
}

/**
 * The values of variables whose names say that they are secret, whoever reads them: the user's scripts are given them too. None of
 * what may be a word of the evidence's own: a path, a number, a single word.
 */
export function secretsOfEnvironment(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables)
    .filter(([name]) => saysSecret(name) || /(?:^|_)(?<!CACHE_|PUBLIC_)KEY$/.test(name))
    .map(([, value]) => value)
    .filter(
      value =>
        value.length >= SHORTEST_UNLISTED && !isPath(value) && !/^(?:[a-z]{1,15}|[A-Z]{1,15}|[\d.:-]*)$/.test(value),
    )
}

/** In characters, of what nobody has listed: to hide a shorter one might hide the evidence. */
const SHORTEST_UNLISTED = 8

/** In characters. To hide something shorter wherever it occurs would hide the evidence. */
export const SHORTEST_SECRET = 4

/** A private key as PEM, whole and line by line, as it may be quoted; its line breaks may be written as `\\n`. */
export function secretsOfKey(pem: string): string[] {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return []
  const lines = pem.split(/\r?\n|\\n/).map(line => line.trim())
  return [pem, ...lines.filter(line => line !== '' && !line.startsWith('-----'))]
}

interface EnvFile {
  /** Whole where they were cut, so that all else that is wrong with them is found as well. */
  values: Record<string, string>
  cut: Record<string, string>
  mistakes: string[]
}

function readEnvFile(file: string, isRead: (name: string) => boolean): EnvFile {
  try {
    const text = readFileSync(file, 'utf8')
    const values = dotenv.parse(text)
    const cut = cutValues(text, values, isRead)
    return { values: { ...values, ...cut }, cut, mistakes: [] }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return {
      values: {},
      cut: {},
      mistakes: code === 'ENOENT' ? [] : [`${file} cannot be read (${code}): make it a readable file, or remove it`],
    }
  }
}

/**
 * The values that lose text because dotenv takes an unquoted # for the beginning of a comment, as they were meant. Found by
 * reading the file once more with a character in place of # that means nothing. Behind white space, a # is taken for a
 * comment that was meant as one, except in a command.
 */
function cutValues(
  text: string,
  values: Record<string, string>,
  isRead: (name: string) => boolean,
): Record<string, string> {
  const meaningless = '\u{e000}'
  const uncut = dotenv.parse(text.replaceAll('#', meaningless))
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const whole = uncut[name]?.replaceAll(meaningless, '#') ?? ''
      if (!isRead(name) || value === '' || !whole.startsWith(value)) return []
      const lost = whole.slice(value.length)
      return (name.endsWith('_COMMAND') ? /^\s*#/ : /^#/).test(lost) ? [[name, whole]] : []
    }),
  )
}

/** The one that most likely was meant: at most three letters away. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map(candidate => ({ candidate, distance: editDistance(text, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= 3 ? best.candidate : undefined
}

/** Letters to insert, remove or replace to make one of the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const above = row
    row = [i + 1]
    for (const [j, other] of [...b].entries()) {
      row.push(Math.min((above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1, (above[j] ?? 0) + (letter === other ? 0 : 1)))
    }
  }
  return row.at(-1) ?? 0
}
