import { z } from 'zod'
import { redactText } from '../../helpers/evidence/redact.ts'

// Vitest's blob is a list in JSON, in which each text stands once and everything else refers to it by its place (the format of
// the package flatted): texts can be replaced one by one.

/** Stands for the checkout's folder, which is another on every machine. */
const CHECKOUT = '{checkout}/'

/** A blob that names neither a secret nor this machine's checkout at `root`. */
export function portableBlob(blob: string, { root, secrets }: { root: string; secrets: readonly string[] }): string {
  return eachText(blob, text => redactText(moved(text, `${root}/`, CHECKOUT), secrets))
}

/** A portable blob as one of the checkout at `root`. */
export function localBlob(blob: string, root: string): string {
  return eachText(blob, text => moved(text, CHECKOUT, `${root}/`))
}

/**
 * The version of vitest that wrote it, which alone can merge it.
 * @throws when it is no blob.
 */
export function vitestOf(blob: string): string {
  const parts = z.array(z.unknown()).parse(JSON.parse(blob))
  const [place] = z.array(z.unknown()).parse(parts[0])
  return z.string().parse(parts[Number(place)])
}

function moved(text: string, from: string, to: string): string {
  return text.startsWith(from) ? to + text.slice(from.length) : text
}

/** Keys are texts too, and stand where they are used. */
function eachText(blob: string, replaced: (text: string) => string): string {
  const parts = JSON.parse(blob) as unknown[]
  return JSON.stringify(parts.map(part => (typeof part === 'string' ? replaced(part) : withKeys(part, replaced))))
}

function withKeys(part: unknown, replaced: (text: string) => string): unknown {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [replaced(key), value]))
}
