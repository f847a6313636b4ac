import { readFileSync } from 'node:fs'
import path from 'node:path'
import { render } from 'preact-render-to-string'
import { counted } from '../layout.ts'
import type { Report } from '../report.ts'
import { Anchors } from './anchors.ts'
import { Audit } from './audit.tsx'
import { Controls } from './controls.tsx'
import { Coverage } from './coverage.tsx'
import { anchoredDeviations, Deviations } from './deviations.tsx'
import { DrillSection } from './drill.tsx'
import { Environment } from './environment.tsx'
import { Escalation } from './escalation.tsx'
import { Exceptions } from './exceptions.tsx'
import { Front } from './front.tsx'
import { headlineOf } from './headline.ts'
import { printable } from './printable.ts'
import { Trends } from './trends.tsx'
import { Shapes } from './verdict.tsx'

/** Nothing is loaded and nothing is run: whatever a drill, a server or a user put into a text stays text. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

const CONTENTS = [
  ['summary', 'Summary'],
  ['runbook', 'Runbook'],
  ['trends', 'Trends'],
  ['deviations', 'Deviations'],
  ['escalation', 'Escalation'],
  ['controls', 'Controls'],
  ['exceptions', 'Exceptions'],
  ['audit', 'Auditor'],
  ['environment', 'Environment'],
  ['drills', 'Drills'],
] as const

/** A run as one page that needs nothing beside it: neither a network nor a script, only the attached files it links to. */
export function indexHtml(report: Report): string {
  return `<!doctype html>\n${render(<Page report={printable(report)} />)}\n`
}

function Page({ report }: { report: Report }) {
  const { evidence } = report
  const { run, suite } = evidence
  const anchors = new Anchors(evidence)
  const shared = anchoredDeviations(evidence)
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${headlineOf(evidence).sentence} · ${run.id}`}</title>
        <style dangerouslySetInnerHTML={{ __html: styleSheet(run.id) }} />
      </head>
      <body>
        <a class="skip" href="#summary">
          Skip to the verdict
        </a>
        <Shapes />
        <header class="top">
          <p>
            <b>{suite.name}</b> <span>{run.kind} run</span> <code>{run.id}</code>
          </p>
          <nav aria-label="Contents">
            <ul>
              {CONTENTS.map(([id, title]) => (
                <li key={id}>
                  <a href={`#${id}`}>{title}</a>
                </li>
              ))}
            </ul>
          </nav>
        </header>
        <main>
          <Front report={report} anchors={anchors} />
          <Coverage report={report} anchors={anchors} />
          <Trends report={report} anchors={anchors} />
          <Deviations shared={shared} anchors={anchors} />
          <Escalation evidence={evidence} anchors={anchors} />
          <Controls report={report} anchors={anchors} />
          <Exceptions report={report} anchors={anchors} />
          <Audit report={report} shared={shared} anchors={anchors} />
          <Environment evidence={evidence} />
          <section id="drills" aria-labelledby="drills-title">
            <h2 id="drills-title">{counted(evidence.drills.length, 'drill')}</h2>
            {evidence.drills.map(drill => (
              <DrillSection key={anchors.of(drill)} drill={drill} shared={shared} anchors={anchors} />
            ))}
          </section>
        </main>
        <footer>
          <p>
            Made from evidence.json of the run <code>{run.id}</code>, which is the record; this page only shows it.
          </p>
        </footer>
      </body>
    </html>
  )
}

/** With the run's name on every printed page, as far as it is made of letters that mean nothing to a style sheet. */
function styleSheet(runId: string): string {
  const page = `@page{@top-left{content:"Recovery drills, run ${runId.replaceAll(/[^\w.-]/g, '')}"}}`
  return readFileSync(path.join(import.meta.dirname, 'report.css'), 'utf8') + page
}
