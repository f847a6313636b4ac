import { stringify } from 'csv-stringify/sync'

/** What stands in a cell: nothing where there is nothing to say. */
export type Cell = string | number | undefined

/**
 * A table with its head. A text that a spreadsheet would take for a formula has an apostrophe before it: what servers and scripts
 * have said stands in these tables, and auditors open them in spreadsheets.
 */
export function csv<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Partial<Record<Column, Cell>>>[],
): string {
  return stringify([...rows], {
    header: true,
    columns: [...columns],
    cast: { number: rounded },
    escape_formulas: true,
  })
}

/** To microseconds, where it is seconds: floating point adds digits that nobody measured. */
function rounded(value: number): string {
  return String(Math.round(value * 1e6) / 1e6)
}
