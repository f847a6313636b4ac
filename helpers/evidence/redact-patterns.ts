/** What names a secret at its end: `PGPASSWORD`, `x-api-key`, `repo1-cipher-pass`; not `password_encryption`, `keyId`, `signature`. */
const NAME = String.raw`(?:password|passwd|passphrase|pwd|(?<![a-z])(?:pass|pw)|secret(?!s(?![\w.-]))[\w.-]{0,40}|token|credentials?|authorization|cookie|(?:api|access|secret|private|encryption|signing|account|shared|master)[_-]?key)\d{0,3}(?![\w-])`

/** And how it is followed by what it names: assigned, as a header's or a field's, or as a word of a command's or of SQL's. */
const NAMED = new RegExp(
  [
    String.raw`(?<=(?:^|[\s'"])-[\w.-]{0,40})${NAME}[ \t]+`,
    String.raw`${NAME}\\{0,3}["']?[ \t]*(?:=>?|:(?!:)=?)[ \t]*`,
    String.raw`(?<![\w/.-])passwd[ \t]+`,
    String.raw`\bidentified[ \t]+by[ \t]+(?:password[ \t]+)?`,
    String.raw`\blogin[ \t]+[^\s]{1,80}[ \t]+password[ \t]+`,
    String.raw`\bpassword[ \t]+(?=E?['"]|\$)`,
    String.raw`(?<![\w.-])sig=|[?&](?:x-amz-)?signature=`,
  ].join('|'),
  'gi',
)

/** Texts that are secrets by their own form: a private key, a token of a known kind, and what bears one. */
const FORMS = [
  /(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[\s\S]+?(?=-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  /((?<![\w-]))eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g,
  /((?<![A-Za-z0-9]))(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /((?<![A-Za-z0-9]))(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|xox[a-z]-[\w-]{10,})/g,
  /(\bBearer[ \t]+)(?=[A-Za-z._~+/=-]{0,200}\d)[\w.~+/=-]{8,}/gi,
]

/** Is hidden already: by this filter, or by one of those that what it is given has been through. */
const HIDDEN = /^(\\*["']|)(?:\*\*\*|\[redacted\])\1$/

/** As a whole, that of a variable or a field whose value is a secret. */
const WHOLE_NAME = new RegExp(`${NAME}$`, 'i')

/** Whether a variable or a field of that name holds a secret. */
export function saysSecret(name: string): boolean {
  return WHOLE_NAME.test(name)
}

/** A path is no secret: `PWD`, and a key that is named by its file. */
export function isPath(value: string): boolean {
  return /^(?:\.{0,2}|~)\/[\w.@+/ -]*$/.test(value)
}

/**
 * Hides what is seen to be a secret without being known: the credentials in URLs, what is assigned to a name that says so, and
 * tokens of well-known forms. In time linear in the length of the text.
 */
export function hideRecognised(text: string, mark: string): string {
  const formless = FORMS.reduce((rest, form) => rest.replace(form, `$1${mark}`), text)
  return hideNamed(hideInUrls(formless, mark), mark)
}

/** What an address holds behind its scheme, up to white space. */
const ADDRESS = /:\/\/[^\s<>]+/g

function hideInUrls(text: string, mark: string): string {
  return text.replace(ADDRESS, (address: string, at: number) => {
    // A user without a password is a token there, and but a name in the URL of a database.
    const isWeb = /(?:https?|git|ftps?)$/i.test(text.slice(Math.max(0, at - 5), at))
    return address
      .split('://')
      .map(part => hideUserInfo(part, isWeb, mark))
      .join('://')
  })
}

/** Up to the last @, since a password that was not encoded may hold one. */
function hideUserInfo(rest: string, isWeb: boolean, mark: string): string {
  const [host = ''] = /^[^/?#]*/.exec(rest) ?? []
  const end = rest.lastIndexOf('@')
  const isHostAlone = !host.includes('@') && /^[^:]*(?::\d*)?$/.test(host)
  if (end <= 0 || isHostAlone) return rest
  const colon = rest.indexOf(':')
  const start = colon >= 0 && colon < end ? colon + 1 : isWeb ? 0 : end
  return start === end || HIDDEN.test(rest.slice(start, end))
    ? rest
    : `${rest.slice(0, start)}${mark}${rest.slice(end)}`
}

const IN_QUOTES = String.raw`E?(?:'[^'\\\n]*'|"[^"\\\n]*"|(\\+["'])[^\\\n]*?\1|\$\$[^\n]*?\$\$)(?=\\*["']?(?:[\s,;:)}\]&|<>]|$))`

/** Where the quoting is any harder than one pair of quotes, the rest of the line. */
const WORD = new RegExp(String.raw`${IN_QUOTES}|[^\s'"\\]+(?=\\*["']{0,2}(?:\s|$)|\\*["'][,;:)}\]&|<>])|[^\n]+`, 'y')

/** Of a header, or a field of JSON or YAML, which may hold blanks. */
const FIELD = new RegExp(String.raw`(?:null|true|false|-?\d+)(?=[,}\]])|${IN_QUOTES}|[^\n]+`, 'y')

/** Of a URL: others may follow. */
const PARAMETER = /[^\s&#"'<>]+/y

function hideNamed(text: string, mark: string): string {
  let hidden = ''
  let from = 0
  NAMED.lastIndex = 0
  for (let found = NAMED.exec(text); found; found = NAMED.exec(text)) {
    const start = found.index + found[0].length
    const value = valueAt(text, start, found)
    NAMED.lastIndex = start + value.length
    if (value === '' || isNone(value) || (/^(?:pwd|signing)/i.test(found[0]) && isPath(value))) continue
    const [, quotes = ''] = /^E?(\\*["']|)[\s\S]*\1$/.exec(value) ?? []
    hidden += `${text.slice(from, start)}${quotes}${mark}${quotes}`
    from = start + value.length
  }
  return hidden + text.slice(from)
}

function valueAt(text: string, start: number, { 0: named, index }: RegExpExecArray): string {
  const isParameter = /[?&]/.test(named.charAt(0) + text.charAt(index - 1))
  const shape = isParameter ? PARAMETER : /:\s*$/.test(named) ? FIELD : WORD
  shape.lastIndex = start
  return shape.exec(text)?.[0] ?? ''
}

function isNone(value: string): boolean {
  return HIDDEN.test(value) || /^(?:null|true|false)$/.test(value)
}
