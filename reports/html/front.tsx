import type { Drill, Evidence, Rpo, Rto } from '../../helpers/evidence/evidence.ts'
import { counted, secondsText, sizesText } from '../layout.ts'
import type { Report } from '../report.ts'
import { filesNotBegun } from '../run-scope.ts'
import { runSeconds } from '../run-seconds.ts'
import { countOf, VERDICTS } from '../verdicts.ts'
import type { Anchors } from './anchors.ts'
import { shapeOf } from './coverage.tsx'
import { headlineOf, notBegunText } from './headline.ts'
import { type Measure, measureOf } from './measures.ts'
import { durationText } from './numbers.ts'
import { DrillChip, type Fact, Facts, Lines, Moment } from './parts.tsx'
import { Problems } from './problems.tsx'
import { Sparkline } from './sparkline.tsx'
import { Mark, VerdictWord, verdictClass } from './verdict.tsx'

/** The first screen: whether recovery is proven, by what, how fast, and who says so. */
export function Front({ report, anchors }: { report: Report; anchors: Anchors }) {
  const { evidence } = report
  const { mark, sentence, explanation, scope } = headlineOf(evidence)
  return (
    <section id="summary" class="front" aria-labelledby="verdict">
      <div class={`headline ${verdictClass(mark)}`}>
        <Mark verdict={mark} />
        <div>
          <h1 id="verdict">{sentence}</h1>
          {scope !== undefined && <p class="scope">{scope}</p>}
          <p>{explanation}</p>
        </div>
      </div>
      <div class="cards">
        <Tally evidence={evidence} anchors={anchors} />
        <TimeCard
          title="RTO"
          meaning="from the incident until the application is healthy"
          measure={measureOf(evidence.drills, 'rto')}
          anchors={anchors}
          trends={report.trends}
        />
        <TimeCard
          title="RPO"
          meaning="from the last recovered commit to the last acknowledged one"
          measure={measureOf(evidence.drills, 'rpo')}
          anchors={anchors}
          trends={[]}
        />
        <Runbook report={report} />
      </div>
      <Facts className="run" facts={runFacts(report)} />
      <NotPassed evidence={evidence} anchors={anchors} />
      {report.trends.some(({ warning }) => warning !== undefined) && (
        <div class="notice">
          <h2>Slower than before</h2>
          <ul>
            {report.trends.flatMap(({ drill, warning }) =>
              warning === undefined ? [] : [<li key={drill}>{warning}</li>],
            )}
          </ul>
        </div>
      )}
      {evidence.run.problems.length > 0 && (
        <div class="notice">
          <h2>Problems of the run as a whole</h2>
          <Problems problems={evidence.run.problems} />
        </div>
      )}
    </section>
  )
}

function Tally({ evidence: { run, drills }, anchors }: { evidence: Evidence; anchors: Anchors }) {
  const missing = filesNotBegun(run)
  return (
    <div class="card tally">
      <h2>Drills</h2>
      <ul class="counts">
        {VERDICTS.map(verdict => ({ verdict, count: countOf(verdict, drills) })).map(({ verdict, count }) => (
          <li key={verdict} class={count === 0 ? 'none' : verdictClass(verdict)}>
            <b>{count}</b>
            <VerdictWord verdict={verdict} />
          </li>
        ))}
      </ul>
      {missing > 0 && (
        <p class="not-begun">
          <VerdictWord verdict="unknown">{notBegunText(missing)}</VerdictWord>, and not counted above
        </p>
      )}
      <ul class="wall" aria-label="Every drill">
        {drills.map(drill => (
          <li key={anchors.of(drill)}>
            <a class={`chip ${verdictClass(drill.verdict)}`} href={`#${anchors.of(drill)}`} title={drill.title}>
              <Mark verdict={drill.verdict} />
              {drill.id}
              <span class="said">, {drill.verdict}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}

function TimeCard({
  title,
  meaning,
  measure,
  anchors,
  trends,
}: {
  title: 'RTO' | 'RPO'
  meaning: string
  measure: Measure<Rto> | Measure<Rpo> | undefined
  anchors: Anchors
  trends: Report['trends']
}) {
  if (!measure)
    return (
      <div class="card">
        <h2>{title}</h2>
        <p class="soft">{meaning}</p>
        <p>No drill of this run measured it.</p>
      </div>
    )
  const { worst, medianSeconds, drills } = measure
  const trend = trends.find(({ drill }) => drill === worst.drill.id)
  return (
    <div class="card time">
      <h2>{title}</h2>
      <p class="soft">{meaning}</p>
      <p class="figure">
        <b>{durationText(worst.measured.seconds)}</b> worst, of{' '}
        <DrillChip id={worst.drill.id} verdict={worst.drill.verdict} anchors={anchors} />
      </p>
      <p>
        {drills.length === 1
          ? 'no other drill measured it'
          : `${durationText(medianSeconds)} median of ${counted(drills.length, 'drill')}`}
      </p>
      <p>
        <Objective measured={worst.measured} verdict={measure.verdict} />
      </p>
      <p class="soft">At this size: {sizesText(worst.drill.sizes) || 'not measured'}</p>
      {trend && <Sparkline trend={trend} id={`trend-of-${title}`} />}
    </div>
  )
}

/** What a measured time is against the objective that the user set. */
export function Objective({
  measured,
  verdict = measured.verdict,
}: {
  measured: Rto | Rpo
  verdict?: (Rto | Rpo)['verdict']
}) {
  const objective = measured.objectiveSeconds === undefined ? '' : ` of ${durationText(measured.objectiveSeconds)}`
  if (verdict === 'missed') return <VerdictWord verdict="failed">objective{objective} missed</VerdictWord>
  if (verdict === 'no objective') return <VerdictWord verdict="not exercised">no objective was set</VerdictWord>
  return <VerdictWord verdict="passed">objective{objective} met at this size</VerdictWord>
}

function Runbook({ report: { coverage, evidence, controls } }: { report: Report }) {
  const sections = [...new Map(coverage.map(step => [step.section, step.heading]))]
  const supported = controls.filter(({ isSupported }) => isSupported).length
  const seen = evidence.drills.reduce((sum, { faults = [] }) => sum + faults.length, 0)
  return (
    <div class="card runbook">
      <h2>Runbook</h2>
      <ul class="sections">
        {sections.map(([section, heading]) => {
          const steps = coverage.filter(step => step.section === section)
          return (
            <li key={section}>
              <a href={`#runbook-${section}`}>
                §{section} {heading}
              </a>
              <span class="beads" aria-hidden="true">
                {steps.map(step => (
                  <Mark key={step.step} verdict={shapeOf(step.outcome)} />
                ))}
              </span>
              <span>
                {steps.filter(({ outcome }) => outcome === 'proven').length} of {counted(steps.length, 'step')} proven
              </span>
            </li>
          )
        })}
      </ul>
      <p>
        <a href="#escalation">{counted(seen, 'fault')} made</a>,{' '}
        <a href="#controls">
          {supported} of {counted(controls.length, 'control')} supported
        </a>
      </p>
    </div>
  )
}

function runFacts({ evidence, keyId }: Report): Fact[] {
  const { run, suite, runtime, machine } = evidence
  return [
    ['Run', <code key="run">{run.id}</code>],
    [
      'Kind',
      run.shards
        ? `${run.kind}, put together from ${counted(run.shards.length, 'shard')}: ${run.shards.join(', ')}`
        : run.kind,
    ],
    ['Began', <Moment key="began" at={run.startedAt} />],
    ['Took', tookText(run)],
    [
      'On',
      `PostgreSQL ${runtime.serverVersion}, ${runtime.name}; ${machine.platform} ${machine.architecture}, ${counted(machine.cores, 'core')}`,
    ],
    ['By', <Starter key="by" startedBy={run.startedBy} />],
    ['Suite', <code key="suite">{suite.commit}</code>],
    ['Run before', <Previous key="previous" previous={run.previous} />, 'long'],
    [
      'Signature',
      keyId === undefined ? (
        <VerdictWord key="signature" verdict="unknown">
          Unsigned: anybody can have changed this
        </VerdictWord>
      ) : (
        <>
          With the key <code>{keyId}</code>; see whether it holds: <code>npm run evidence:verify</code>
        </>
      ),
      'long',
    ],
  ]
}

export function Starter({ startedBy: { name, source, url } }: { startedBy: Evidence['run']['startedBy'] }) {
  return (
    <>
      {name}{' '}
      <span class="soft">
        (from {source}
        {url === undefined ? '' : `, ${url}`})
      </span>
    </>
  )
}

function Previous({ previous }: { previous: Evidence['run']['previous'] }) {
  if (previous === null) return <>None: it is the first of its history</>
  if (previous === undefined) return <>Not known: it is of no history, or has not ended</>
  return (
    <>
      <code>{previous.runId}</code> <span class="soft">SHA-256</span> <code>{previous.digest}</code>
    </>
  )
}

/** How long a run took, as far as it says when it ended. */
export function tookText(run: Evidence['run']): string {
  const seconds = runSeconds(run)
  return seconds === undefined ? 'It has no end' : durationText(seconds)
}

function NotPassed({ evidence: { drills }, anchors }: { evidence: Evidence; anchors: Anchors }) {
  const others = VERDICTS.filter(verdict => verdict !== 'passed').flatMap(verdict =>
    drills.filter(drill => drill.verdict === verdict),
  )
  if (others.length === 0) return null
  return (
    <div class="not-passed">
      <h2>What did not pass</h2>
      <ul>
        {others.map(drill => (
          <li key={anchors.of(drill)}>
            <VerdictWord verdict={drill.verdict} /> <a href={`#${anchors.of(drill)}`}>{drill.id}</a>{' '}
            <span>{drill.title}</span>
            <p>
              <Lines text={reasonOf(drill)} />
            </p>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Why a drill did not pass, in one line. */
export function reasonOf(drill: Drill): string {
  const [problem] = drill.problems
  return (
    drill.reason ?? problem?.message.split('\n')[0] ?? `It says no reason, after ${secondsText(drill.durationSeconds)}.`
  )
}
