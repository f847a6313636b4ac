import type { Row, Session } from '../../postgres/session.ts'
import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'sequences',
  wanted: 'the next value of each is past every value in the columns that it fills',
  severity: 'failure',
  advice: 'The next INSERT would repeat a value: set the sequence with setval().',
}

/** Where a sequence stands, and the furthest value in a column that it fills. */
export interface SequenceState {
  sequence: string
  column: string
  lastValue: bigint
  /** `lastValue` has been given out. */
  isCalled: boolean
  increment: bigint
  /** Undefined in an empty table. */
  furthest: bigint | undefined
}

/** The value that the sequence gives next has been given before. */
export function isBehind({ lastValue, isCalled, increment, furthest }: SequenceState): boolean {
  if (furthest === undefined) return false
  const next = isCalled ? lastValue + increment : lastValue
  return increment > 0n ? next <= furthest : next >= furthest
}

/**
 * A sequence is written to the WAL ahead of its values, so that after a recovery it may have skipped some but repeats none.
 * Owned sequences, those of identity columns and those of defaults; one that may begin anew is left out.
 */
export async function checkSequences(databases: Databases): Promise<ServerCheck> {
  const found = await databases.each(readSequences)
  const findings = found.flatMap(([database, states]) =>
    states
      .filter(isBehind)
      .map(
        ({ sequence, column, lastValue, furthest }) =>
          `${database}: ${sequence} is at ${lastValue}, and ${column} at ${furthest}`,
      ),
  )
  const count = found.reduce((sum, [, states]) => sum + states.length, 0)
  return judgeFindings(TERMS, `${count} sequences of ${databases.count} databases are past their columns`, findings)
}

const FILLED_COLUMNS = `
  WITH filled AS (
    SELECT objid AS sequence, refobjid AS "table", refobjsubid AS number
      FROM pg_depend
     WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
     UNION
    SELECT d.refobjid, def.adrelid, def.adnum
      FROM pg_depend d JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid
     WHERE d.refclassid = 'pg_class'::regclass)
  SELECT s.seqrelid::regclass AS sequence, s.seqincrement AS increment, f."table"::regclass AS "table", quote_ident(a.attname) AS "column"
    FROM filled f
    JOIN pg_sequence s ON s.seqrelid = f.sequence AND NOT s.seqcycle
    JOIN pg_class t ON t.oid = f."table" AND t.relkind IN ('r', 'p')
    JOIN pg_attribute a ON a.attrelid = f."table" AND a.attnum = f.number
   WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   ORDER BY 1, 3, 4`

async function readSequences(session: Session): Promise<SequenceState[]> {
  const columns = await session.query<Row & { sequence: string; increment: string; table: string; column: string }>(
    FILLED_COLUMNS,
  )
  const states: SequenceState[] = []
  for (const { sequence, increment, table, column } of columns) {
    const furthest = increment.startsWith('-') ? 'min' : 'max'
    const row = await session.one(
      `SELECT last_value, is_called, (SELECT ${furthest}(${column}) FROM ${table}) AS furthest FROM ${sequence}`,
    )
    states.push({
      sequence,
      column: `${table}.${column}`,
      lastValue: BigInt(row.last_value ?? 0),
      isCalled: row.is_called === 't',
      increment: BigInt(increment),
      furthest: row.furthest == null ? undefined : BigInt(row.furthest),
    })
  }
  return states
}
