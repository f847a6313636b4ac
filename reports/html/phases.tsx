import { scaleLinear } from 'd3-scale'
import type { Rto } from '../../helpers/evidence/evidence.ts'
import { secondsText } from '../layout.ts'
import { Scroll } from './parts.tsx'
import { PLOTS, round } from './time-axis.tsx'

const HEIGHT = 34

/** A number fits into a part that is as wide as this. */
const NUMBER_WIDTH = 18

/** Where the time of a recovery went: a bar whose parts are numbered, and a table of them. */
export function Phases({ phases, seconds, name, id }: Pick<Rto, 'phases' | 'seconds'> & { name: string; id: string }) {
  const parts = phases.map((phase, index) => ({
    ...phase,
    began: phases.slice(0, index).reduce((sum, one) => sum + one.seconds, 0),
    number: index + 1,
  }))
  const longest = parts.toSorted((a, b) => b.seconds - a.seconds)[0]
  return (
    <div class="phases">
      <Scroll label={`Bar of ${name}`}>
        {PLOTS.map(({ width, className, suffix }) => {
          const x = scaleLinear([0, seconds || 1], [0, width])
          return (
            <svg
              key={className}
              class={className}
              viewBox={`0 0 ${width} ${HEIGHT}`}
              role="img"
              aria-labelledby={`${id}${suffix}-title ${id}${suffix}-desc`}
            >
              <title id={`${id}${suffix}-title`}>Phases of {name}</title>
              <desc id={`${id}${suffix}-desc`}>
                {phases.length} phases in {secondsText(seconds)}
                {longest && `; the longest is "${longest.name}" with ${secondsText(longest.seconds)}`}
              </desc>
              {parts.map(part => (
                <g key={part.number} class={`phase ${part.number % 2 === 0 ? 'even' : ''}`}>
                  <rect x={round(x(part.began))} y="1" width={round(x(part.seconds))} height={HEIGHT - 2} />
                  {x(part.seconds) >= NUMBER_WIDTH && (
                    <text x={round(x(part.began + part.seconds / 2))} y={HEIGHT / 2 + 5} text-anchor="middle">
                      {part.number}
                    </text>
                  )}
                </g>
              ))}
            </svg>
          )
        })}
      </Scroll>
      <ol class="legend">
        {parts.map(part => (
          <li key={part.number}>
            {part.name} <b>{secondsText(part.seconds)}</b>
          </li>
        ))}
      </ol>
    </div>
  )
}
