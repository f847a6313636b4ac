import { hash } from 'node:crypto'

/** Stands between two columns, so that text cannot move from one into the next unseen. No column may hold it. */
const SEPARATOR = '\u001f'

/** Of one row, from its predictable columns: 60 bits of the SHA-256, the same as `checksumSql` computes on the server. */
export function rowChecksum(...columns: readonly (string | number)[]): bigint {
  return BigInt(`0x${hash('sha256', columns.join(SEPARATOR)).slice(0, 15)}`)
}

/** SQL for the sum of `rowChecksum` over rows with these columns: it does not depend on their order. */
export function checksumSql(columns: readonly string[]): string {
  const content = `concat_ws(chr(31), ${columns.map(column => `coalesce((${column})::text, '')`).join(', ')})`
  return `sum(('x' || substr(sha256(convert_to(${content}, 'UTF8'))::text, 3, 15))::bit(60)::bigint)`
}
