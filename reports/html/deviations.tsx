import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { counted } from '../layout.ts'
import { type SharedDeviation, sharedDeviations } from '../shared-deviations.ts'
import type { Anchors } from './anchors.ts'
import { Chips, DrillChip, Prose, Section } from './parts.tsx'

/** A deviation, and where in the page it is told. */
export interface AnchoredDeviation extends SharedDeviation {
  anchor: string
}

export function anchoredDeviations(evidence: Evidence): AnchoredDeviation[] {
  return sharedDeviations(evidence).map((one, index) => ({ ...one, anchor: `deviation-${index + 1}` }))
}

/** What the drills did beyond the runbook, with the text that would make it part of it. */
export function Deviations({ shared, anchors }: { shared: readonly AnchoredDeviation[]; anchors: Anchors }) {
  return (
    <Section id="deviations" title="Deviations from the runbook">
      <p class="lead">
        {shared.length === 0
          ? 'No drill had to do what the runbook does not say.'
          : `What the drills had to do that the runbook does not say: ${counted(shared.length, 'deviation')}, each with the text that we propose.`}
      </p>
      {shared.map(({ anchor, deviation: { section, what, why, proposedText }, drills }) => (
        <article class="deviation" id={anchor} key={anchor} aria-labelledby={`${anchor}-title`}>
          <h3 id={`${anchor}-title`}>
            §{section}: <Prose text={what} />
          </h3>
          <p class="soft">
            Because <Prose text={why} />.
          </p>
          <blockquote>
            <p class="lines">
              <Prose text={proposedText} />
            </p>
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
