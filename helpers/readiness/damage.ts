import type { TableStates } from './table-state.ts'

export interface TableDamage {
  table: string
  change: 'gone' | 'new' | 'rows lost' | 'rows added' | 'rows changed'
  /** Undefined where the table was not there. */
  rowsBefore: number | undefined
  rowsAfter: number | undefined
}

/**
 * What the emergency snapshot says was damaged: every table that differs between two reads of one database. Traffic
 * between the two differs as well; which of it was harm, only the incident tells.
 */
export function compareTables(before: TableStates, after: TableStates): TableDamage[] {
  const tables = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return tables.flatMap(table => {
    const [was, is] = [before[table], after[table]]
    if (was?.rows === is?.rows && was?.checksum === is?.checksum) return []
    const change = !is
      ? 'gone'
      : !was
        ? 'new'
        : is.rows < was.rows
          ? 'rows lost'
          : is.rows > was.rows
            ? 'rows added'
            : 'rows changed'
    return [{ table, change, rowsBefore: was?.rows, rowsAfter: is?.rows }]
  })
}

/** `public.jobs: rows lost, 1000 → 0`. */
export function describeDamage({ table, change, rowsBefore, rowsAfter }: TableDamage): string {
  return `${table}: ${change}, ${rowsBefore ?? 'none'} → ${rowsAfter ?? 'none'}`
}
