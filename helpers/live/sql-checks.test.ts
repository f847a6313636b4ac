import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CannotRun } from '../failure.ts'
import type { Session } from '../postgres/session.ts'
import { parseSqlChecks, readSqlChecks, runSqlChecks } from './sql-checks.ts'

const statements = (text: string) => parseSqlChecks(text, 'a.sql').map(({ sql }) => sql)

describe('a text of checks', () => {
  it('is taken apart at its semicolons, each check with the comment above it and its place', () => {
    const text = `-- Checks of the orders
-- there are some
SELECT count(*) > 0 FROM orders;

SELECT true;
/* of another
   database */ -- database: billing
-- every invoice has an order
SELECT NOT EXISTS (SELECT FROM invoices WHERE order_id IS NULL)`
    expect(parseSqlChecks(text, 'a.sql')).toEqual([
      { title: 'there are some', where: 'a.sql:3', database: undefined, sql: 'SELECT count(*) > 0 FROM orders' },
      { title: 'a.sql:5', where: 'a.sql:5', database: undefined, sql: 'SELECT true' },
      {
        title: 'every invoice has an order',
        where: 'a.sql:9',
        database: 'billing',
        sql: 'SELECT NOT EXISTS (SELECT FROM invoices WHERE order_id IS NULL)',
      },
    ])
  })

  it.each([
    "SELECT ';' = ''';'",
    String.raw`SELECT E'\';' = e';'`,
    String.raw`SELECT '\' = ';'`,
    String.raw`SELECT E'\\'  = ';'`,
    'SELECT ";" FROM "a"";"',
    'SELECT $$;$$ = $tag$ $$; $tag$',
    'SELECT a$b$ FROM c -- ; nothing',
    'SELECT 1 /* ; /* ; */ ; */ + 1',
    "SELECT 'a'';' || $ä$;$ä$",
    'SELECT $1 + $2',
  ])('leaves a semicolon that ends nothing: %s', sql => {
    expect(statements(`${sql}\n;${sql}\n;`)).toEqual([sql, sql])
  })

  it('gives back the statements that it was put together from', () => {
    const quoted = fc.oneof(
      fc.string().map(text => `'${text.replaceAll("'", "''")}'`),
      fc.string().map(text => `"${text.replaceAll('"', '""')}"`),
      fc.string().map(text => `E'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`),
      fc.string().map(text => `$q$${text.replaceAll('$', '')}$q$`),
      fc.string().map(text => `/* ${text.replaceAll(/[*/]/g, '')} */`),
      fc.stringMatching(/^[a-z0-9 +=()]*$/),
    )
    const statement = fc.array(quoted, { maxLength: 5 }).map(parts => `SELECT ${parts.join(' ')}`.trimEnd())
    fc.assert(
      fc.property(fc.array(statement), all => {
        expect(statements(all.join(';\n'))).toEqual(all)
      }),
    )
  })

  it.each([
    ["SELECT 1;\nSELECT 'a", /^a\.sql:2 begins a quote that has no end/],
    [String.raw`SELECT E'a\'`, /begins a quote/],
    ["SELECT 'a''", /begins a quote/],
    ['SELECT "a', /begins a quote/],
    ['SELECT $x$ a $y$', /begins a quote/],
    ['SELECT 1 /* /* */', /begins a comment that has no end/],
    ['\\timing on\nSELECT true;', /^a\.sql:1 is a command of psql's/],
  ])('without an end, or for psql alone, is refused: %j', (text, message) => {
    expect(() => parseSqlChecks(text, 'a.sql')).toThrow(message)
  })
})

describe('the place of checks', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'checks-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is a file, or a folder whose files are read by name', () => {
    writeFileSync(path.join(folder, 'b.sql'), 'SELECT true')
    writeFileSync(path.join(folder, 'a.sql'), 'SELECT true; SELECT false')
    writeFileSync(path.join(folder, 'notes.txt'), 'SELECT')
    expect(readSqlChecks(folder).map(({ where }) => where)).toEqual(['a.sql:1', 'a.sql:1', 'b.sql:1'])
    expect(readSqlChecks(path.join(folder, 'b.sql'))).toHaveLength(1)
  })

  it('is refused where nothing would be checked', () => {
    expect(() => readSqlChecks(path.join(folder, 'gone.sql'))).toThrow(CannotRun)
    expect(() => readSqlChecks(folder)).toThrow(/holds no file that ends with \.sql/)
    writeFileSync(path.join(folder, 'a.sql'), '-- SELECT true;')
    expect(() => readSqlChecks(folder)).toThrow(/a\.sql holds no statement/)
    mkdirSync(path.join(folder, 'b.sql'))
    expect(() => readSqlChecks(path.join(folder, 'b.sql'))).toThrow(CannotRun)
  })
})

describe('a check holds', () => {
  const answered = async (answer: object[] | Error) => {
    const session = {
      query: async (sql: string) => {
        if (sql.startsWith('BEGIN')) return []
        if (answer instanceof Error) throw answer
        return answer
      },
      [Symbol.asyncDispose]: async () => undefined,
    } as unknown as Session
    const [result] = await runSqlChecks({ session: async () => session }, parseSqlChecks('SELECT 1', 'a.sql'), 'app')
    return result
  }

  it('when one row of one value that is true comes back', async () => {
    expect(await answered([{ a: 't' }])).toEqual({ title: 'a.sql:1', where: 'a.sql:1', holds: true, seen: 'true' })
  })

  it.each([
    [[], '0 rows instead of one'],
    [[{ a: 't' }, { a: 't' }], '2 rows instead of one'],
    [[{ a: 't', b: 't' }], 'one row of 2 columns instead of one'],
    [[{ a: 'f' }], 'false'],
    [[{ a: null }], 'NULL'],
    [[{ a: 'Zoe' }], 'a value that is neither true nor false'],
    [
      Object.assign(new Error('relation "x" does not exist'), { code: '42P01' }),
      'relation "x" does not exist (SQLSTATE 42P01)',
    ],
    [Object.assign(new Error('invalid input syntax: "Zoe"'), { code: '22P02' }), 'an error with SQLSTATE 22P02'],
  ])('and otherwise not, without a value being told: %j', async (answer, seen) => {
    expect(await answered(answer)).toMatchObject({ holds: false, seen })
  })

  it('or is unknown when the server has gone', async () => {
    await expect(answered(new Error('Connection terminated'))).rejects.toThrow('Connection terminated')
  })
})
