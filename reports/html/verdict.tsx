import type { ComponentChildren } from 'preact'
import type { Verdict } from '../../helpers/evidence/evidence.ts'

/** A verdict, or that nothing has one because nothing was there. */
export type Shape = Verdict | 'absent'

/** A verdict as part of a class or of an id. */
export function verdictClass(verdict: Shape): string {
  return verdict.replace(' ', '-')
}

/** The shapes that stand beside verdicts, once in the page: each is another outline, so that none needs its colour. */
export function Shapes() {
  return (
    <svg class="shapes" width="0" height="0" aria-hidden="true" focusable="false">
      <symbol id="mark-passed" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="8" />
        <path d="M4.2 8.4l2.6 2.6 5-5.6" class="cut" />
      </symbol>
      <symbol id="mark-failed" viewBox="0 0 16 16">
        <path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z" />
        <path d="M5 5l6 6M11 5l-6 6" class="cut" />
      </symbol>
      <symbol id="mark-unknown" viewBox="0 0 16 16">
        <path d="M1 1h14v14H1z" />
        <path d="M5.6 6.1c0-3.4 4.9-3.2 4.9-.3 0 1.9-2.5 1.7-2.5 3.7M8 12.4v.1" class="cut" />
      </symbol>
      <symbol id="mark-not-exercised" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="7" class="outline" />
        <path d="M4.8 8h6.4" class="outline" />
      </symbol>
      <symbol id="mark-absent" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="7" class="outline dots" />
      </symbol>
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path d="M0 0v6" class="hatch" />
      </pattern>
    </svg>
  )
}

export function Mark({ verdict }: { verdict: Shape }) {
  const name = verdictClass(verdict)
  return (
    <svg class={`mark ${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <use href={`#mark-${name}`} />
    </svg>
  )
}

/** A verdict in its word and its shape; with `children`, which say it in other words, in place of the word. */
export function VerdictWord({ verdict, children }: { verdict: Shape; children?: ComponentChildren }) {
  return (
    <span class={`verdict ${verdictClass(verdict)}`}>
      <Mark verdict={verdict} />
      <span>{children ?? verdict}</span>
    </span>
  )
}
