import type { ComponentChildren } from 'preact'
import type { Drill, Prediction, Rpo } from '../../helpers/evidence/evidence.ts'
import { bytesText, counted, secondsText, sizesText } from '../layout.ts'
import type { Anchors } from './anchors.ts'
import type { AnchoredDeviation } from './deviations.tsx'
import { Objective, reasonOf } from './front.tsx'
import { durationText } from './numbers.ts'
import { type Fact, Facts, Lines, Moment, Table } from './parts.tsx'
import { Phases } from './phases.tsx'
import { Problems } from './problems.tsx'
import { ReplayPlot } from './replay-plot.tsx'
import { SignalPlot } from './signal-plot.tsx'
import { Steps } from './steps.tsx'
import { EventLegend } from './time-axis.tsx'
import { VerdictWord, verdictClass } from './verdict.tsx'

/** As many proofs are shown at once; more are unfolded. */
const PROOFS_SHOWN = 6

/** More events are unfolded. */
const EVENTS_SHOWN = 16

/** More files are unfolded. */
const FILES_SHOWN = 8

/** More discarded commits than this are read in evidence.json. */
const DISCARDED_MAX = 200

/** One drill: what it proved, how, and what was measured. */
export function DrillSection({
  drill,
  shared,
  anchors,
}: {
  drill: Drill
  shared: readonly AnchoredDeviation[]
  anchors: Anchors
}) {
  const id = anchors.of(drill)
  return (
    <article id={id} class={`drill ${verdictClass(drill.verdict)}`} aria-labelledby={`${id}-title`}>
      <header>
        <h3 id={`${id}-title`}>
          <span class="id">{drill.id}</span> {drill.title}
        </h3>
        <p class="meta">
          <VerdictWord verdict={drill.verdict} />
          <span>{drill.durationSeconds === 0 ? 'took no time' : `took ${durationText(drill.durationSeconds)}`}</span>
          <span>
            began <Moment at={drill.startedAt} />
          </span>
          <a href={runbookAnchor(drill)}>runbook §{drill.runbook}</a>
          <code>{drill.file}</code>
        </p>
      </header>
      <p class="claim">{claimOf(drill)}</p>
      {drill.sabotage !== undefined && (
        <p class="notice">
          Broken on purpose: <Lines text={drill.sabotage} />. This drill is evidence of nothing else.
        </p>
      )}
      {drill.problems.length > 0 && (
        <Part title="What went wrong">
          <Problems problems={drill.problems} />
        </Part>
      )}
      <Timelines drill={drill} id={id} />
      <Times drill={drill} id={id} />
      {drill.steps.length > 0 && (
        <Part title={`${counted(drill.steps.length, 'step')} in ${secondsText(drill.durationSeconds)}`}>
          <Steps drill={drill} />
        </Part>
      )}
      <Proofs proofs={drill.proofs} isPassed={drill.verdict === 'passed'} />
      <Predictions predictions={drill.predictions ?? []} id={id} />
      <Beyond drill={drill} shared={shared} />
      <Files drill={drill} />
      <p class="up">
        <a href="#summary">Back to the summary</a>
      </p>
    </article>
  )
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h4>{title}</h4>
      {children}
    </section>
  )
}

/** What is long is folded away, and unfolds by itself on paper. */
function Folded({ isFolded, summary, children }: { isFolded: boolean; summary: string; children: ComponentChildren }) {
  if (!isFolded) return <>{children}</>
  return (
    <details>
      <summary>{summary}</summary>
      {children}
    </details>
  )
}

function runbookAnchor({ runbook }: Drill): string {
  return /^[1-9]/.test(runbook) ? `#runbook-${runbook.slice(0, 1)}` : '#runbook'
}

/** What is proven, or why it is not, in one sentence. */
function claimOf(drill: Drill): string {
  const { title, verdict, proofs, steps } = drill
  if (drill.sabotage !== undefined) return `It came to "${verdict}" with something broken on purpose.`
  if (verdict === 'passed')
    return `Proven by ${counted(proofs.length, 'proof')} in ${counted(steps.length, 'step')}: ${title}.`
  if (verdict === 'failed') return `Not proven, since it failed: ${reasonOf(drill)}`
  if (verdict === 'unknown') return `Not proven, since it came to no result: ${reasonOf(drill)}`
  return `Not exercised: ${reasonOf(drill)}`
}

function Proofs({ proofs, isPassed }: { proofs: readonly string[]; isPassed: boolean }) {
  if (proofs.length === 0) return null
  const counts = new Map<string, number>()
  for (const proof of proofs) counts.set(proof, (counts.get(proof) ?? 0) + 1)
  const each = [...counts]
  const list = (shown: typeof each) => (
    <ul class="proofs">
      {shown.map(([proof, count]) => (
        <li key={proof}>
          <Lines text={proof} />
          {count > 1 && <span class="soft"> ({count} times)</span>}
        </li>
      ))}
    </ul>
  )
  return (
    <Part title={isPassed ? 'Proofs' : 'Proofs that held, and do not make up for the rest'}>
      {list(each.slice(0, PROOFS_SHOWN))}
      {each.length > PROOFS_SHOWN && (
        <details>
          <summary>{counted(each.length - PROOFS_SHOWN, 'more proof')}</summary>
          {list(each.slice(PROOFS_SHOWN))}
        </details>
      )}
    </Part>
  )
}

function Timelines({ drill: { timeline, durationSeconds, id: name }, id }: { drill: Drill; id: string }) {
  if (!timeline || (timeline.replays.length === 0 && timeline.signals.length === 0)) return null
  return (
    <Part title="Timeline">
      {timeline.replays.length > 0 && <ReplayPlot timeline={timeline} id={`${id}-replay`} drill={name} />}
      {timeline.signals.length > 0 && (
        <SignalPlot timeline={timeline} seconds={durationSeconds} id={`${id}-signals`} drill={name} />
      )}
      <Folded
        isFolded={timeline.events.length > EVENTS_SHOWN}
        summary={`${counted(timeline.events.length, 'event')}, which the marks number`}
      >
        <EventLegend events={timeline.events} />
      </Folded>
    </Part>
  )
}

function Times({ drill: { rto, rpo, sizes, id: name }, id }: { drill: Drill; id: string }) {
  if (!rto && !rpo) return null
  return (
    <Part title={rto && rpo ? 'RTO and RPO' : rto ? 'RTO' : 'RPO'}>
      <Facts
        facts={[
          ['RTO', rto && <Measured measured={rto} />],
          ['RPO', rpo && <Measured measured={rpo} />],
          ['At this size', sizesText(sizes) || 'not measured'],
          ...(rpo ? ledgerFacts(rpo) : []),
        ]}
      />
      {rto && <Phases phases={rto.phases} seconds={rto.seconds} name={`the RTO of ${name} (${id})`} id={`${id}-rto`} />}
      {rpo?.discarded && rpo.discarded.length > 0 && <Discarded discarded={rpo.discarded} id={id} />}
    </Part>
  )
}

function Measured({ measured }: { measured: NonNullable<Drill['rto']> | Rpo }) {
  return (
    <>
      <b>{durationText(measured.seconds)}</b> <Objective measured={measured} />
    </>
  )
}

/** What the ledger promised, against what is there. */
function ledgerFacts({ promisedCommits, missingCommits, discardedCommits, undecidedCommits, walBytes }: Rpo): Fact[] {
  const told = (count: number | undefined) => (count === undefined ? undefined : String(count))
  return [
    ['Promised commits', told(promisedCommits)],
    ['Of these missing', told(missingCommits)],
    ['Discarded, to be entered again', told(discardedCommits)],
    ['In flight, either is right', told(undecidedCommits)],
    ['WAL that was not recovered', walBytes === undefined ? undefined : bytesText(walBytes)],
  ]
}

function Discarded({ discarded, id }: { discarded: NonNullable<Rpo['discarded']>; id: string }) {
  return (
    <details>
      <summary>{counted(discarded.length, 'discarded commit')}, to be entered again</summary>
      <Table caption={`Discarded commits (${id})`} columns={['commit', 'by', 'xid', 'acknowledged']}>
        {discarded.slice(0, DISCARDED_MAX).map(({ commit, actor, xid, acknowledgedAt }) => (
          <tr key={commit}>
            <th scope="row">{commit}</th>
            <td>{actor}</td>
            <td class="number">{xid ?? 'not known'}</td>
            <td>{acknowledgedAt ?? 'never'}</td>
          </tr>
        ))}
      </Table>
      {discarded.length > DISCARDED_MAX && (
        <p class="soft">{discarded.length - DISCARDED_MAX} more stand in evidence.json.</p>
      )}
    </details>
  )
}

function Predictions({ predictions, id }: { predictions: readonly Prediction[]; id: string }) {
  if (predictions.length === 0) return null
  const assumptions = [...new Set(predictions.flatMap(prediction => prediction.assumptions))]
  return (
    <Part title="The same recovery, were it larger">
      <Table
        caption={`Predicted recovery times (${id})`}
        columns={['database', 'WAL to replay', 'time', 'phases']}
        className="wide"
      >
        {predictions.map(({ databaseBytes, walBytes, seconds, phases }) => (
          <tr key={`${databaseBytes} ${walBytes}`}>
            <th scope="row">{bytesText(databaseBytes)}</th>
            <td>{bytesText(walBytes)}</td>
            <td>{durationText(seconds)}</td>
            <td class="text">{phases.map(phase => `${phase.name} ${durationText(phase.seconds)}`).join(', ')}</td>
          </tr>
        ))}
      </Table>
      <details>
        <summary>What must hold for it</summary>
        <ul>
          {assumptions.map(assumption => (
            <li key={assumption}>{assumption}</li>
          ))}
        </ul>
      </details>
    </Part>
  )
}

function Beyond({ drill, shared }: { drill: Drill; shared: readonly AnchoredDeviation[] }) {
  const own = shared.filter(({ drills }) => drills.includes(drill))
  if (own.length === 0) return null
  return (
    <details class="part">
      <summary>{counted(own.length, 'step')} beyond the runbook</summary>
      <ul>
        {own.map(({ anchor, deviation: { section, what } }) => (
          <li key={anchor}>
            §{section}: <a href={`#${anchor}`}>{what}</a>
          </li>
        ))}
      </ul>
    </details>
  )
}

function Files({ drill: { attached, kept } }: { drill: Drill }) {
  if (attached.length === 0 && kept.length === 0) return null
  return (
    <Part title="Files">
      <Folded isFolded={attached.length > FILES_SHOWN} summary={counted(attached.length, 'file')}>
        <ul class="files">
          {attached.map(({ path, what }) => (
            <li key={path}>
              <AttachedLink path={path} /> <span class="soft">{what}</span>
            </li>
          ))}
          {kept.map(where => (
            <li key={where}>
              kept: <Lines text={where} />
            </li>
          ))}
        </ul>
      </Folded>
    </Part>
  )
}

/** A link only to what lies in the bundle. */
function AttachedLink({ path }: { path: string }) {
  const parts = path.split('/')
  const isWithin = /^[\w.-]/.test(path) && parts.every(part => part !== '' && part !== '.' && part !== '..')
  return isWithin ? <a href={`./${parts.map(encodeURIComponent).join('/')}`}>{path}</a> : <code>{path}</code>
}
