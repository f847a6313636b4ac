import { CannotRun } from '../../helpers/failure.ts'

/** Google's tag, and the script behind it that reports every view of the page. No setting leaves them out. */
const TRACKER =
  /<script\b[^>]*\bsrc="https:\/\/www\.googletagmanager\.com\/[^"]*"[^>]*><\/script>\s*(?:<script>(?:(?!<\/script>)[\s\S])*\bgtag\((?:(?!<\/script>)[\s\S])*<\/script>)?/g

/** Nothing but what the page holds itself, were there another address that nobody has found. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data:; img-src data: blob:; font-src data:; media-src data: blob:; frame-src data: blob:; connect-src data: blob:; form-action 'none'"

/**
 * Allure's page, which from then on loads nothing from anywhere.
 * @throws {CannotRun} when it would still, since a version of Allure does it by other words.
 */
export function withoutTracker(html: string): string {
  const stripped = html.replace(TRACKER, '')
  const [loaded] =
    /<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)="(?:https?:)?\/\/[^"]*"/i.exec(stripped) ?? []
  if (loaded !== undefined || stripped.includes('gtag('))
    throw new CannotRun(
      `Allure's page would still load ${loaded ?? 'a tracker'}: it is not written; install the version of Allure that package-lock.json names`,
    )
  const head = /<head[^>]*>/.exec(stripped)
  if (!head) throw new CannotRun('what Allure made is no page: it is not written')
  const at = head.index + head[0].length
  const policy = `\n    <meta http-equiv="Content-Security-Policy" content="${POLICY}">`
  return stripped.slice(0, at) + policy + stripped.slice(at)
}
