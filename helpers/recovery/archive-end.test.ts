import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WalSegment } from '../postgres/wal-segment.ts'
import { assertReachedEnd } from './archive-end.ts'

const segment = (number: number) => new WalSegment(1, BigInt(number), 2 ** 24)

test('only the last segment, and a record in it, is the end', () =>
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (got, redo, last) => {
      const judge = () =>
        assertReachedEnd(
          'restored',
          { restored: [segment(got).name], redoDone: segment(redo).start, stopped: undefined },
          segment(last),
        )
      if (got === last && redo >= last) expect(judge).not.toThrow()
      else expect(judge).toThrow(/before the end of the archive/)
    }),
  ))

test('a recovery that had a target is none to the end', () =>
  expect(() =>
    assertReachedEnd(
      'restored',
      { restored: [segment(3).name], redoDone: segment(3).start, stopped: 'reaching consistency' },
      segment(3),
    ),
  ).toThrow(/stopped at reaching consistency/))
