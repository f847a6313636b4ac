import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** What can be known of a drill before it is run. */
export interface DeclaredDrill {
  id: string | undefined
  tags: string[]
}

const DRILLS = path.resolve(import.meta.dirname, '../../drills')

/** Every drill that there is, in the order of their ids. */
export function declaredDrills(): DeclaredDrill[] {
  return readdirSync(DRILLS, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.spec.ts'))
    .map(file => declaredDrill(path.join(DRILLS, file)))
    .sort((a, b) => byId.compare(a.id ?? '', b.id ?? ''))
}

/** P2 before P10. */
export const byId = new Intl.Collator('en', { numeric: true })

/**
 * The drill of a file, taken from its text: to run it for that would take a worker and a second. Id and tags are found where
 * they are written out, as in `id: 'P1'` and `tags: ['nightly']`, there or in a file beside it that it imports.
 */
export function declaredDrill(file: string): DeclaredDrill {
  const text = readText(file)
  const beside = [...text.matchAll(/from '(\.\/[^']+)'/g)].map(([, name = '']) =>
    path.resolve(path.dirname(file), name),
  )
  const all = [text, ...beside.map(readText)].join('\n')
  const [, id] = /\bid: '([A-Z]\d+[a-z]?)'/.exec(all) ?? []
  const [, list = ''] = /\btags: \[([^\]]*)\]/.exec(all) ?? []
  return { id, tags: [...list.matchAll(/'([^']+)'/g)].map(([, tag = '']) => tag) }
}

/** A file that is not there says nothing: it is for whoever runs it to complain. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
