import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { parseBackupHistory } from './backup-history.ts'

const SIZE = 16 * 2 ** 20

/** As the server writes it. */
function historyOf({
  start = 0x3000028n,
  stop = 0x3000120n,
  label = 'pg_basebackup base backup',
  timeline = 1,
  stopTime = '2026-01-02 03:04:05 CET',
  more = '',
} = {}): string {
  const at = (bytes: bigint) => {
    const lsn = Lsn.fromBytes(bytes)
    return `${lsn} (file ${WalSegment.containing(lsn, timeline, SIZE)})`
  }
  return `START WAL LOCATION: ${at(start)}
STOP WAL LOCATION: ${at(stop)}
CHECKPOINT LOCATION: 0/3000060
BACKUP METHOD: streamed
BACKUP FROM: primary
START TIME: 2026-01-02 03:04:00 CET
LABEL: ${label}
START TIMELINE: ${timeline}
STOP TIME: ${stopTime}
STOP TIMELINE: ${timeline}
${more}`
}

describe('the history of a base backup', () => {
  test('says where it begins and ends, and when, as the server wrote it', () => {
    expect(parseBackupHistory(historyOf())).toEqual({
      startLsn: Lsn.parse('0/3000028'),
      stopLsn: Lsn.parse('0/3000120'),
      timeline: 1,
      stopTimeline: 1,
      label: 'pg_basebackup base backup',
      stopTime: '2026-01-02 03:04:05 CET',
    })
  })

  test('is read whatever the numbers, the zone and the label are', () => {
    const lsn = fc.bigInt({ min: 1n, max: 2n ** 63n })
    fc.assert(
      fc.property(
        lsn,
        lsn,
        fc.integer({ min: 1, max: 0xffff_ffff }),
        fc.constantFrom('UTC', 'CET', '-03', '+0530'),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('x STOP TIME: 1999-01-01 00:00:00 UTC')),
        (start, stop, timeline, zone, text) => {
          const label = text.replaceAll(/[\n\r\u2028\u2029]/g, ' ')
          const stopTime = `2026-07-08 09:10:11 ${zone}`
          expect(parseBackupHistory(historyOf({ start, stop, timeline, stopTime, label }))).toEqual({
            startLsn: Lsn.fromBytes(start),
            stopLsn: Lsn.fromBytes(stop),
            timeline,
            stopTimeline: timeline,
            label,
            stopTime,
          })
        },
      ),
    )
  })

  test('says of an incremental backup what it needs', () => {
    const more = 'INCREMENTAL FROM LSN: 0/2000028\nINCREMENTAL FROM TLI: 1\n'
    expect(parseBackupHistory(historyOf({ more }))).toMatchObject({
      incrementalFrom: Lsn.parse('0/2000028'),
      stopTime: '2026-01-02 03:04:05 CET',
    })
  })

  test.each([
    ['a backup_label, which is written at the beginning', historyOf().replace(/^STOP.*\n/gm, '')],
    ['cut off', historyOf().slice(0, -20)],
    ['empty', ''],
    ['something else', 'PK\u0003\u0004'],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseBackupHistory(text)).toThrow(/says nothing of the end|is no backup_label/)
  })
})
