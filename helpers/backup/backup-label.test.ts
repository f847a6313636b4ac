import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { parseBackupEnd, parseBackupLabel } from './backup-label.ts'

const SIZE = 16 * 1024 * 1024
const lsns = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(Lsn.fromBytes)
const labels = fc.record({
  startLsn: lsns,
  timeline: fc.integer({ min: 1, max: 0x7fff_ffff }),
  label: fc.string().filter(text => !/[\n\r\u2028\u2029]/.test(text)),
  incrementalFrom: fc.option(lsns, { nil: undefined }),
})

function render({
  startLsn,
  timeline,
  label,
  incrementalFrom,
}: typeof labels extends fc.Arbitrary<infer T> ? T : never) {
  return [
    `START WAL LOCATION: ${startLsn} (file ${WalSegment.containing(startLsn, timeline, SIZE)})`,
    `CHECKPOINT LOCATION: ${startLsn}`,
    'BACKUP METHOD: streamed',
    'BACKUP FROM: primary',
    'START TIME: 2026-01-02 03:04:05 UTC',
    `LABEL: ${label}`,
    `START TIMELINE: ${timeline}`,
    ...(incrementalFrom ? [`INCREMENTAL FROM LSN: ${incrementalFrom}`, 'INCREMENTAL FROM TLI: 1'] : []),
    '',
  ].join('\n')
}

describe('a backup_label', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(labels, one => {
        const read = parseBackupLabel(render(one))
        expect(String(read.startLsn)).toBe(String(one.startLsn))
        expect(read).toMatchObject({ timeline: one.timeline, label: one.label })
        expect(read.incrementalFrom?.toString()).toBe(one.incrementalFrom?.toString())
      }),
    )
  })

  test('that breaks off before its last line is none', () => {
    fc.assert(
      fc.property(labels, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (one, part) => {
        const text = render({ ...one, incrementalFrom: undefined })
        const end = text.indexOf('START TIMELINE: ')
        expect(() => parseBackupLabel(text.slice(0, Math.floor(end * part)))).toThrow(
          expect.objectContaining({ kind: 'backup-label-damaged' }),
        )
      }),
    )
  })

  test('that names two timelines is none', () => {
    const text = render({ startLsn: Lsn.parse('0/3000028'), timeline: 3, label: 'a', incrementalFrom: undefined })
    expect(() => parseBackupLabel(text.replace('TIMELINE: 3', 'TIMELINE: 2'))).toThrow(/timeline 2, and 3 in the name/)
  })
})

describe('a backup history', () => {
  const history = (zone: string) =>
    `START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nSTOP WAL LOCATION: 0/2000138 (file 000000010000000000000002)\nSTART TIME: 2026-11-23 01:48:50 ${zone}\nLABEL: x\nSTART TIMELINE: 1\nSTOP TIME: 2026-11-23 01:49:02 ${zone}\nSTOP TIMELINE: 1\n`

  test.each([
    ['UTC', '2026-11-23 01:49:02.000000+00'],
    ['-03', '2026-11-23 01:49:02.000000-03'],
    ['+0530', '2026-11-23 01:49:02.000000+0530'],
  ])('in the zone %s tells where and when the backup ended', (zone, stoppedAt) => {
    expect(parseBackupEnd(history(zone))).toEqual({ stopLsn: Lsn.parse('0/2000138'), stoppedAt })
  })

  test('tells no moment by a name that means several', () => {
    expect(parseBackupEnd(history('IST'))).toEqual({ stopLsn: Lsn.parse('0/2000138') })
  })

  test('is none without its line', () => {
    expect(parseBackupEnd('LABEL: x\n')).toBeUndefined()
  })
})
