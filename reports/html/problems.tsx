import type { Observations, Problem } from '../../helpers/evidence/evidence.ts'
import { Lines } from './parts.tsx'

/** What went wrong, each with the facts that were seen. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul class="problems">
      {problems.map(({ kind, message, evidence, stack }) => (
        <li key={`${kind} ${message}`}>
          <p>
            <code>{kind}</code> <Lines text={message} />
          </p>
          {evidence && <Observed observations={evidence} />}
          {stack !== undefined && (
            <details>
              <summary>Where in the code</summary>
              <pre>{stack}</pre>
            </details>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Plain data as names and values. */
export function Observed({ observations }: { observations: Observations }) {
  return (
    <dl class="observed">
      {Object.entries(observations).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Lines text={valueText(value)} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** A list of texts or numbers one a line; anything deeper as JSON. */
function valueText(value: Observations[string]): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join('\n')
  return JSON.stringify(value)
}
