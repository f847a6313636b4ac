import type { Deviation, Drill, Evidence } from '../../helpers/evidence/evidence.ts'
import type { Anchors } from './anchors.ts'
import { counted } from './numbers.ts'
import { Chips, DrillChip, Section } from './parts.tsx'

/** A deviation that one drill or more needed. */
export interface SharedDeviation {
  anchor: string
  deviation: Deviation
  drills: readonly Drill[]
}

/** Each deviation once, those that most drills needed first within their step of the runbook. */
export function sharedDeviations({ drills }: Evidence): SharedDeviation[] {
  const found = new Map<string, { deviation: Deviation; drills: Set<Drill> }>()
  for (const drill of drills)
    for (const deviation of drill.deviations) {
      const key = keyOf(deviation)
      const known = found.get(key) ?? { deviation, drills: new Set() }
      found.set(key, known)
      known.drills.add(drill)
    }
  return [...found.values()]
    .toSorted(
      (a, b) =>
        a.deviation.section.localeCompare(b.deviation.section, 'en', { numeric: true }) ||
        b.drills.size - a.drills.size,
    )
    .map((one, index) => ({ anchor: `deviation-${index + 1}`, deviation: one.deviation, drills: [...one.drills] }))
}

function keyOf({ section, what, why, proposedText }: Deviation): string {
  return JSON.stringify([section, what, why, proposedText])
}

/** What the drills did beyond the runbook, with the text that would make it part of it. */
export function Deviations({ shared, anchors }: { shared: readonly SharedDeviation[]; anchors: Anchors }) {
  return (
    <Section id="deviations" title="Beyond the runbook">
      <p class="lead">
        {shared.length === 0
          ? 'No drill had to do what the runbook does not say.'
          : `What the drills had to do that the runbook does not say: ${counted(shared.length, 'deviation')}, each with the text that we propose.`}
      </p>
      {shared.map(({ anchor, deviation: { section, what, why, proposedText }, drills }) => (
        <article class="deviation" id={anchor} key={anchor} aria-labelledby={`${anchor}-title`}>
          <h3 id={`${anchor}-title`}>
            §{section}: {what}
          </h3>
          <p class="soft">Because {why}.</p>
          <blockquote>
            <p class="lines">{proposedText}</p>
          </blockquote>
          <div class="needed">
            <span class="soft">Needed by {counted(drills.length, 'drill')}</span>
            <Chips>
              {drills.map(drill => (
                <DrillChip key={drill.id} id={drill.id} verdict={drill.verdict} anchors={anchors} />
              ))}
            </Chips>
          </div>
        </article>
      ))}
    </Section>
  )
}
