import { type ComponentChildren, cloneElement, isValidElement, toChildArray, type VNode } from 'preact'
import type { Verdict } from '../../helpers/evidence/evidence.ts'
import type { Anchors } from './anchors.ts'
import { momentText } from './numbers.ts'
import { Mark, VerdictWord, verdictClass } from './verdict.tsx'

/** A part of the page that has a heading and that the contents lead to. */
export function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  )
}

/** What is wider than a phone is moved in a window of its own, by touch or with the arrow keys, and the page stands still. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is of a form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard
    <div class="scroll" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  )
}

/**
 * A table with a caption and heads of columns; `children` are its rows, whose children are `th` and `td`, one a column.
 * Where the page is narrow, each row is a list of its own, and each cell says its column beside itself.
 */
export function Table({
  caption,
  columns,
  isCaptionShown = false,
  children,
  className = '',
}: {
  caption: string
  columns: readonly string[]
  isCaptionShown?: boolean
  children: ComponentChildren
  className?: string
}) {
  return (
    <Scroll label={caption}>
      <table class={className} {...as('table')}>
        <caption class={isCaptionShown ? '' : 'said'}>{caption}</caption>
        <thead {...as('rowgroup')}>
          <tr {...as('row')}>
            {columns.map(column => (
              <th scope="col" key={column} {...as('columnheader')}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody {...as('rowgroup')}>{elementsOf(children).map(row => rowOf(row, columns))}</tbody>
      </table>
    </Scroll>
  )
}

/** What an element is by itself, until a style sheet makes a list of it. */
function as(role: 'table' | 'rowgroup' | 'row' | 'columnheader' | 'rowheader' | 'cell') {
  return { role }
}

function rowOf(row: VNode<Children>, columns: readonly string[]) {
  const cells = elementsOf(row.props.children).map((cell, index) =>
    cloneElement(cell as VNode<object>, {
      ...as(cell.type === 'th' ? 'rowheader' : 'cell'),
      'data-column': columns[index],
    }),
  )
  return cloneElement(row as VNode<object>, as('row'), cells)
}

interface Children {
  children?: ComponentChildren
}

function elementsOf(children: ComponentChildren): VNode<Children>[] {
  return toChildArray(children).filter(child => isValidElement(child)) as VNode<Children>[]
}

/** Names and values, one beside the other. Without a value, the fact is left out. */
export function Facts({ facts, className = '' }: { facts: readonly Fact[]; className?: string }) {
  return (
    <dl class={`facts ${className}`}>
      {facts
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value, width]) => (
          <div key={name} class={width ?? ''}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export type Fact = readonly [name: string, value: ComponentChildren, width?: 'long']

export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{momentText(at)}</time>
}

/** A drill by its id and its verdict, which lead to where it is told. One that is not in the run leads nowhere. */
export function DrillChip({ id, verdict, anchors }: { id: string; verdict?: Verdict; anchors: Anchors }) {
  const anchor = anchors.ofId(id)
  const told = (
    <>
      {verdict && <Mark verdict={verdict} />}
      {id}
      {verdict && <span class="said">, {verdict}</span>}
    </>
  )
  const className = `chip ${verdict ? verdictClass(verdict) : ''}`
  return anchor === undefined ? (
    <span class={className}>{told}</span>
  ) : (
    <a class={className} href={`#${anchor}`}>
      {told}
    </a>
  )
}

export function Chips({ children }: { children: readonly ComponentChildren[] }) {
  return (
    <ul class="chips">
      {children.map((child, index) => (
        <li key={index}>{child}</li>
      ))}
    </ul>
  )
}

/** Whether something is there that has to be, said by more than a colour. */
export function Presence({ isThere, children }: { isThere: boolean; children: string }) {
  return <VerdictWord verdict={isThere ? 'passed' : 'not exercised'}>{children}</VerdictWord>
}

/** A text as Markdown writes it: what stands between backticks is code. */
export function Prose({ text }: { text: string }) {
  // A split by one group puts what the group found at every second place.
  return <>{text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>
}

/** A long text in its lines, as they came. */
export function Lines({ text }: { text: string }) {
  return <span class="lines">{text}</span>
}
