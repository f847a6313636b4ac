// The time to come back to, noted on another clock than the server's.
//
// Goal:   a time names one moment or none: noted on whatever clock, with its offset or its time zone, it brings back the rows of that
//         moment; one that could be several, that never was, or that is still to come is refused before anything is restored.
// Method: note one moment on clocks far apart, and recover to it as each of them showed it. Ask for times at which PostgreSQL
//         guesses without a word, and see each refused. Then leave the offset away all the same: one clock's time recovers to another
//         moment and promotes, which only the ledger tells, and the other's is not reached. Nor is a time in the future.
import { test } from '../../fixtures/drill.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectPromotedAt, expectRefusedFor, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { expectGuessRefused, expectResolved } from '../../fixtures/expectations/target-time.ts'

/** Ahead of UTC and behind it, by more than a drill takes; neither changes its clocks. */
const AHEAD = 'Asia/Kathmandu'
const BEHIND = 'America/Phoenix'

/** Each is read by PostgreSQL without a word, by a server whose clock is in UTC. */
const GUESSES = [
  {
    noted: '2026-10-25 02:30:00 Europe/Berlin',
    guess: '2026-10-25 01:30:00',
    kind: 'time-ambiguous',
    message: /write 2026-10-25 02:30:00\+02 for the first time, or 2026-10-25 02:30:00\+01 for the second$/,
  },
  {
    noted: '2026-03-29 02:30:00 Europe/Berlin',
    guess: '2026-03-29 01:30:00',
    kind: 'time-skipped',
    message: /never was: .* Write 2026-03-29 02:30:00\+01 or 2026-03-29 02:30:00\+02, whichever is meant$/,
  },
  // The sign is that of POSIX: west of Greenwich.
  {
    noted: '2026-11-23 12:00:00 UTC+3',
    guess: '2026-11-23 15:00:00',
    kind: 'time-malformed',
    message: /with an offset/,
  },
  // In Israel, and neither in India nor in Ireland.
  { noted: '2026-11-23 12:00:00 IST', guess: '2026-11-23 10:00:00', kind: 'time-malformed', message: /with an offset/ },
  {
    noted: '2026-11-23 12:00:00',
    guess: '2026-11-23 12:00:00',
    kind: 'time-without-offset',
    message: /write 2026-11-23 12:00:00\+00 if it was noted in UTC/,
  },
]

const FAULTS = [
  'target time noted on another clock',
  'target time that names no one moment',
  'target time in the future',
] as const

const until = (time: string) => ({ kind: 'time', time, inclusive: true }) as const

// Its commits are nobody's: one in the backup, and PostgreSQL would refuse.
test.override('primarySettings', { autovacuum: false, timezone: 'UTC' })

test('a target time is resolved to one moment, or refused', {
  meta: { id: 'N19', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, restore, launch, journal, step, each }) => {
  const backup = await step('Take a base backup in a quiet moment', async () => {
    await traffic.append(20)
    return await takeBackup()
  })
  const { moment, ahead, behind, future, target } = await step('Serve traffic on both sides of a moment', async () => {
    await traffic.append(20)
    const [row] = await primary.query(
      `SELECT moment::text, (moment AT TIME ZONE '${AHEAD}')::text AS ahead, (moment AT TIME ZONE '${BEHIND}')::text AS behind,
              (moment + interval '1 hour')::text AS future FROM clock_timestamp() AS moment`,
    )
    const { moment, ahead, behind, future } = row as Record<'moment' | 'ahead' | 'behind' | 'future', string>
    await traffic.append(20)
    const target = { lsn: await primary.lsn('insert') }
    await archive.waitFor(await primary.switchWal(), primary)
    journal.observe({ moment, ahead, behind, future })
    return { moment, ahead, behind, future, target }
  })
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarms are quiet', () => expectQuiet(watch, journal))
  const sinceMs = performance.now()

  const resolved = await step('As each clock showed it, with its time zone, it is that moment', async () => [
    await expectResolved(primary, `${ahead} ${AHEAD}`, moment, journal),
    await expectResolved(primary, `${behind} ${BEHIND}`, moment, journal),
  ])
  await step('What PostgreSQL would guess at is refused', async () => {
    for (const { noted, ...guess } of GUESSES) await expectGuessRefused(primary, noted, guess, journal)
  })
  await step('Without its offset, and in the future, it is refused before anything is restored', async () => {
    const refused = (time: string, kind: string, message: RegExp) =>
      expectCaught(() => restore(backup, { target: until(time), action: 'promote' }), { kind, message }, journal)
    await refused(ahead, 'time-without-offset', /does not say on which clock/)
    await refused(behind, 'time-without-offset', /does not say on which clock/)
    await refused(future, 'target-in-future', /lies in the future: it is .*Name a time that has been/)
  })

  await each(
    resolved,
    time => `Recover to ${time}`,
    async time => {
      const watch = watchArchive(primary, archive, { backup, target })
      const restored = await launch(backup, { target: until(time), watch })
      await expectNoStall(watch, expectPromotedAt(restored, until(time), journal), journal)
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectLedgerAt(restored, ledger, { time: moment }, journal)
      await restored.destroy()
    },
  )
  const never = [
    { what: 'Without its offset, the time of a clock that is ahead', time: ahead },
    { what: 'A time in the future', time: future },
  ]
  await each(
    never,
    ({ what }) => `${what} is not reached`,
    async ({ time }) => {
      const watch = watchArchive(primary, archive, { backup, target })
      const restored = await launch(backup, { target: until(time), unchecked: true, watch })
      const refusal = /recovery ended before configured recovery target was reached/
      await expectNoStall(watch, expectRefusedFor(restored, refusal, journal), journal)
      await restored.destroy()
    },
  )
  await step('That of one behind recovers to another moment, and promotes: only the ledger tells', async () => {
    const restored = await launch(backup, { target: until(behind), unchecked: true, watch })
    await expectNoStall(watch, expectPromotedAt(restored, until(`${behind}+00`), journal), journal)
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectCaught(
      () => expectLedgerAt(restored, ledger, { time: moment }, journal),
      { kind: 'rows-missing', message: /^\d+ rows promised at time .* missing/ },
      journal,
    )
    await restored.destroy()
  })
  await step('The alarms have stayed quiet', async () => {
    for (const fault of FAULTS) await expectSignals(watch, fault, sinceMs, journal)
  })
})
