import { expect, test } from 'vitest'
import { ServerLog } from '../postgres/server-log.ts'
import { recoveryEvents } from './recovery-events.ts'

const PREFIX = '2026-01-02 03:04:05.678 UTC [42] startup '

function eventsOf(lines: string[], startMark = 0) {
  const log = new ServerLog()
  log.append(lines.map(line => `${PREFIX}${line}\n`).join(''))
  return recoveryEvents({ log, startMark })
}

const recovery = [
  'LOG:  starting backup recovery with redo LSN 0/3000028, checkpoint LSN 0/3000080, on timeline ID 1',
  'LOG:  restored log file "000000010000000000000003" from archive',
  'LOG:  starting archive recovery',
  'LOG:  redo starts at 0/3000028',
  'LOG:  restored log file "000000010000000000000004" from archive',
  'LOG:  completed backup recovery with redo LSN 0/3000028 and end LSN 0/30250E0',
  'LOG:  consistent recovery state reached at 0/30250E0',
  'LOG:  recovery stopping before WAL location (LSN) "0/4427268"',
  'LOG:  pausing at the end of recovery',
]

test('a recovery to an LSN is told from its log', () => {
  const events = eventsOf(recovery)
  expect(String(events.redoStart)).toBe('0/3000028')
  expect(events.consistentAtMs).toBeGreaterThan(0)
  expect(events.restored).toEqual(['000000010000000000000003', '000000010000000000000004'])
  expect(events.stopped).toMatchObject({ side: 'before', what: 'WAL location (LSN) "0/4427268"' })
  expect(String(events.stopped?.lsn)).toBe('0/4427268')
  expect(events.promotedAtMs).toBeUndefined()
})

test.each([
  [
    'LOG:  recovery stopping after commit of transaction 742, time 2026-01-02 03:04:05.6+00',
    'after',
    'commit of transaction 742, time 2026-01-02 03:04:05.6+00',
  ],
  [
    'LOG:  recovery stopping at restore point "before", time 2026-01-02 03:04:05.6+00',
    'at',
    'restore point "before", time 2026-01-02 03:04:05.6+00',
  ],
  ['LOG:  recovery stopping after reaching consistency', 'after', 'reaching consistency'],
])('%s', (line, side, what) => {
  expect(eventsOf([line]).stopped).toMatchObject({ side, what })
  expect(eventsOf([line]).stopped?.lsn).toBeUndefined()
})

test('a promotion is seen, and what an earlier start has logged is not', () => {
  const lines = [...recovery, 'LOG:  archive recovery complete']
  expect(eventsOf(lines).promotedAtMs).toBeGreaterThan(0)
  const later = eventsOf([...lines, 'LOG:  database system was shut down'], lines.length)
  expect(later).toEqual({ restored: [] })
})
