import { harmless } from '../layout.ts'

/** A bundle that is no evidence: the message is one sentence that says what is wrong with it. Exit status 1. */
export class Refusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Refusal'
  }
}

const LONGEST_SHOWN = 200

/** Text of a bundle that is not trusted (yet), fit to stand in a sentence: on one line, short, and harmless to a terminal. */
export function quoted(text: string): string {
  const short = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
  return /^[\w./+-]+$/.test(short) ? short : JSON.stringify(harmless(short))
}
