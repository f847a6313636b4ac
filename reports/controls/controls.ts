import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { declaredDrills } from '../../helpers/evidence/declared-drills.ts'
import type { Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { drillOf, worthOf } from '../worth.ts'

/** A control of a standard, and the drills whose passing supports it. */
export interface Control {
  /** As the standard calls itself: 'ISO/IEC 27001:2022'. */
  standard: string
  id: string
  title: string
  /** What these drills do not show of it. */
  note?: string
  drills: readonly string[]
}

/** What this run has for a control. Without a drill that passed in it, a control is a gap. */
export interface ControlCoverage extends Control {
  evidence: readonly { drill: string; verdict: Verdict; at: string }[]
  /** Whether a drill that supports it passed. */
  isSupported: boolean
  /** 'Supports …: P1, P2 passed', or what is missing. Never "complies". */
  sentence: string
}

const SHIPPED = path.resolve(import.meta.dirname, '../controls.yml')

const text = z
  .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'is to be a text: put it in quotes') })
  .trim()
  .min(1, 'is empty')
const controlSchema = z.strictObject({
  id: text,
  title: text,
  note: text.optional(),
  drills: z.array(text, 'is to be a list of ids of drills, which may be empty'),
})
const fileSchema = z.strictObject(
  {
    standards: z
      .array(
        z.strictObject({
          name: text,
          controls: z.array(controlSchema, 'is to be a list of controls').min(1, 'is empty'),
        }),
        'is to be a list of standards',
      )
      .min(1, 'is empty'),
  },
  'is to hold `standards:`, a list',
)

/**
 * The mapping of drills to controls, in the order of the file.
 * @throws {CannotRun} with every mistake of the file in a sentence.
 */
export function loadControls(file: string = SHIPPED): Control[] {
  const document = parseDocument(read(file))
  const mistyped = document.errors.map(({ message }) => message.split('\n')[0]?.replace(/:$/, '') ?? '')
  if (mistyped.length > 0) throw mistakesIn(file, mistyped)
  const parsed = fileSchema.safeParse(document.toJS())
  if (!parsed.success) throw mistakesIn(file, parsed.error.issues.map(sentenceOf))
  const controls = parsed.data.standards.flatMap(({ name, controls }) =>
    controls.map(({ note, ...control }) => ({ standard: name, ...control, ...(note !== undefined && { note }) })),
  )
  const mistakes = [...unknownDrills(controls), ...repeated(controls)]
  if (mistakes.length > 0) throw mistakesIn(file, mistakes)
  return controls
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CannotRun(
      `${file}, the mapping of drills to controls, cannot be read (${(cause as Error).message}): set DRILL_CONTROLS to one that can`,
      { cause },
    )
  }
}

function mistakesIn(file: string, mistakes: readonly string[]): CannotRun {
  return new CannotRun(
    `${file}, the mapping of drills to controls, is to be corrected:\n${mistakes.map(one => `- ${one}`).join('\n')}`,
  )
}

/** `standards[0].controls[2].id is empty`. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const where = issue.path.map(key => (typeof key === 'number' ? `[${key + 1}]` : `.${String(key)}`)).join('')
  const place = where.replace(/^\./, '') || 'it'
  if (issue.code !== 'unrecognized_keys') return `${place} ${issue.message}`
  return `${place} has ${issue.keys.map(key => `'${key}'`).join(', ')}, which stands for nothing here: take it out`
}

function unknownDrills(controls: readonly Control[]): string[] {
  const known = declaredDrills().map(({ id }) => id)
  return controls.flatMap(({ standard, id, drills }) =>
    drills
      .filter(drill => !known.includes(drill))
      .map(
        drill => `${standard} ${id} names the drill ${drill}, which there is not: see the README for those there are`,
      ),
  )
}

function repeated(controls: readonly Control[]): string[] {
  const names = controls.map(({ standard, id }) => `${standard} ${id}`)
  return [
    ...twice(names).map(name => `${name} stands there twice: put its drills into one list`),
    ...controls.flatMap(({ standard, id, drills }) =>
      twice(drills).map(drill => `${standard} ${id} names the drill ${drill} twice`),
    ),
  ]
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}

/** What a run has to show for each control, in their order. */
export function coverControls(controls: readonly Control[], evidence: Evidence): ControlCoverage[] {
  const worth = worthOf(evidence)
  return controls.map(control => {
    const seen = control.drills.flatMap(id => {
      const drill = drillOf(evidence, id)
      return drill ? [{ drill: id, verdict: drill.verdict, at: drill.startedAt }] : []
    })
    const isSupported = worth.isEvidence && seen.some(({ verdict }) => verdict === 'passed')
    const sentence = worth.isEvidence ? sentenceFor(control, seen) : `Gap of ${nameOf(control)}: ${worth.why}`
    return { ...control, evidence: seen, isSupported, sentence }
  })
}

function nameOf({ standard, id }: Control): string {
  return `${standard} ${id}`
}

function sentenceFor(control: Control, seen: ControlCoverage['evidence']): string {
  if (control.drills.length === 0) return `Gap of ${nameOf(control)}: no drill is mapped to it`
  const of = (verdict: Verdict) => seen.filter(one => one.verdict === verdict).map(({ drill }) => drill)
  const told = (verdict: Verdict) => (of(verdict).length > 0 ? [`${of(verdict).join(', ')} ${verdict}`] : [])
  const others = (['failed', 'unknown', 'not exercised'] as const).flatMap(told)
  if (of('passed').length > 0) return `Supports ${nameOf(control)}: ${[...told('passed'), ...others].join('; ')}`
  const absent = control.drills.filter(id => !seen.some(({ drill }) => drill === id))
  const left = absent.length > 0 ? [`${absent.join(', ')} not part of it`] : []
  return `Gap of ${nameOf(control)}: no drill that supports it passed in this run (${[...others, ...left].join('; ')})`
}
