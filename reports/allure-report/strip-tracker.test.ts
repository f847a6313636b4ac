import { describe, expect, it } from 'vitest'
import { withoutTracker } from './strip-tracker.ts'

const page = (body: string) => `<!DOCTYPE html><html><head><title>x</title></head><body>${body}</body></html>`

describe("Allure's page", () => {
  it('loses its tracker, and nothing else', () => {
    const tracker = `<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-1');
    </script>`
    const stripped = withoutTracker(page(`<script>before()</script>${tracker}<script>after()</script>`))
    expect(stripped).not.toMatch(/gtag|dataLayer/)
    expect(stripped).toContain('<body><script>before()</script><script>after()</script></body>')
    expect(stripped).toContain(`<head>\n    <meta http-equiv="Content-Security-Policy" content="default-src 'none';`)
  })

  it.each([
    '<script src="https://example.com/a.js"></script>',
    '<script async src="//example.com/a.js"></script>',
    '<link rel="stylesheet" href="http://example.com/a.css">',
    '<img alt="" src="https://example.com/a.gif">',
    `<script>window.other = 1; gtag('js', new Date())</script>`,
  ])('is refused while it would load something else: %s', other => {
    expect(() => withoutTracker(page(other))).toThrow(/Allure's page would still load/)
  })

  it('is refused when it is no page', () => {
    expect(() => withoutTracker('')).toThrow('what Allure made is no page')
  })
})
