import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { literalOf, splitStatements } from './statements.ts'

describe('the statements of a text', () => {
  test.each([
    ['SELECT 1', ['SELECT 1']],
    ['BEGIN; SET LOCAL TimeZone = UTC;\n SELECT 1;', ['BEGIN', 'SET LOCAL TimeZone = UTC', 'SELECT 1']],
    ["SELECT ';', \"a;b\", E'\\';', 'it''s;'; x", ["SELECT ';', \"a;b\", E'\\';', 'it''s;'", 'x']],
    ["SELECT 'a\\'; x", ["SELECT 'a\\'", 'x']],
    ['SELECT $$;$$, $a$;$$;$a$; x', ['SELECT $$;$$, $a$;$$;$a$', 'x']],
    ['SELECT $1, a$b$ ; x$$', ['SELECT $1, a$b$', 'x$$']],
    ['-- a; b\nSELECT 1 -- c;', ['-- a; b\nSELECT 1 -- c;']],
    ['/* a; /* b; */ c; */ SELECT 1; x', ['/* a; /* b; */ c; */ SELECT 1', 'x']],
    [' ; ;-- nothing;\n/* nothing */;', []],
    ['', []],
  ])('%j', (sql, statements) => {
    expect(splitStatements(sql)).toEqual(statements)
  })

  test.each(["SELECT 'a", 'SELECT "a', 'SELECT $$a', 'SELECT $a$ $b$', '/* a /* b */', "E'\\'"])(
    'that is not closed in %j is refused',
    sql => {
      expect(() => splitStatements(sql)).toThrow(/is not closed in/)
    },
  )

  test('cannot be commands to psql', () => {
    expect(() => splitStatements('SELECT 1 \\! rm')).toThrow(/a backslash stands outside of quotes/)
    expect(splitStatements("SELECT '\\!'")).toHaveLength(1)
  })

  test('are those that were put together, whatever stands in their texts', () => {
    const statement = fc
      .array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1 })
      .map(values => `SELECT ${values.map(literalOf).join(', ')}`)
    fc.assert(
      fc.property(fc.array(statement), statements => {
        expect(splitStatements(statements.join(';'))).toEqual(statements)
      }),
    )
  })
})

describe('a value as SQL', () => {
  test.each<[unknown, string]>([
    [null, 'NULL'],
    [undefined, 'NULL'],
    [1.5, "'1.5'"],
    [true, "'true'"],
    [10n, "'10'"],
    ["it's", "'it''s'"],
    ["a\\'b", "E'a\\\\''b'"],
    [['a', 'b"c', 'd\\e', null, ['f']], `E'{"a","b\\\\"c","d\\\\\\\\e",NULL,{"f"}}'`],
    [Buffer.from('ab'), "E'\\\\x6162'"],
  ])('%o', (value, sql) => {
    expect(literalOf(value)).toBe(sql)
  })

  test.each([[{}], [() => 1], [Symbol('a')], ['a\0b'], [['a\0b']]])('%o has none', value => {
    expect(() => literalOf(value)).toThrow(TypeError)
  })
})
