import { stripVTControlCharacters } from 'node:util'
import type { Problem } from '../helpers/evidence/evidence.ts'

/** An error as it arrives from a worker: a plain object; its class is gone, its name and its fields are there. */
export type SerializedError = Readonly<Record<string, unknown>>

const TEXT_LENGTH_MAX = 2_000
const CAUSES_MAX = 5

/** A problem, and what it makes of a drill. */
export interface JudgedProblem {
  problem: Problem
  /** `failed`: a proof that did not hold. `unknown`: the check itself did not work. */
  verdict: 'failed' | 'unknown'
}

export function fromError(error: SerializedError): JudgedProblem {
  const name = text(error.name) ?? 'Error'
  const isFailure = name === 'Failure' && typeof error.kind === 'string'
  const evidence = isFailure ? record(error.evidence) : details(error)
  const stack = framesOf(error)
  return {
    problem: {
      kind: isFailure ? String(error.kind) : className(error, name),
      message: [sentence(error), ...causes(error)].join('\n'),
      ...(Object.keys(evidence).length > 0 && { evidence: evidence as NonNullable<Problem['evidence']> }),
      ...(stack !== '' && { stack }),
    },
    verdict: name === 'Failure' || name === 'AssertionError' ? 'failed' : 'unknown',
  }
}

/**
 * A problem that a drill noted itself. Kinds of failures are in kebab-case, anything else is the name of an error's class.
 */
export function fromNote(problem: Problem): JudgedProblem {
  const isProof = problem.kind === 'AssertionError' || /^[a-z0-9]+(-[a-z0-9]+)*$/.test(problem.kind)
  return { problem, verdict: isProof ? 'failed' : 'unknown' }
}

function sentence(error: SerializedError): string {
  return stripVTControlCharacters(text(error.message) ?? String(error.message ?? '')).trim() || 'no message'
}

function causes(error: SerializedError): string[] {
  const lines: string[] = []
  let cause = error.cause
  while (isRecord(cause) && lines.length < CAUSES_MAX) {
    lines.push(`caused by ${className(cause, text(cause.name) ?? 'Error')}: ${sentence(cause)}`)
    cause = cause.cause
  }
  return lines
}

/** Errors of `pg` are called "error"; the serializer writes a class as `Function<DatabaseError>`. */
function className(error: SerializedError, name: string): string {
  if (/^[A-Z]/.test(name)) return name
  return /^Function<(\w+)>$/.exec(text(error.constructor) ?? '')?.[1] ?? 'Error'
}

/** What errors that are not ours say beside their message: an assertion its difference, PostgreSQL and Node a code. */
function details(error: SerializedError): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const difference = typeof error.diff === 'string' ? ['diff'] : ['expected', 'actual']
  for (const key of [...difference, 'code', 'detail', 'hint']) {
    const value = error[key]
    if (typeof value === 'string' && value !== '') found[key] = shortened(stripVTControlCharacters(value))
  }
  return found
}

/** Without the message, which stands above them, and without the frames of libraries and of Node. */
function framesOf(error: SerializedError): string {
  return (text(error.stack) ?? '')
    .split('\n')
    .filter(line => /^\s+at /.test(line) && !/node_modules|\bnode:|<anonymous>\)?$/.test(line))
    .map(line => line.trim())
    .join('\n')
}

function shortened(value: string): string {
  return value.length > TEXT_LENGTH_MAX ? `${value.slice(0, TEXT_LENGTH_MAX)}…` : value
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
