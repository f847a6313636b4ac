// A part of npm run bench: the deep check of an archive against pg_waldump, which reads every record of it too, on the same
// segments, in turns.
import { ArchiveAuditor } from '../../helpers/archive/archive-auditor.ts'
import { readContents } from '../../helpers/archive/archive-contents.ts'
import { WalArchive } from '../../helpers/archive/wal-archive.ts'
import { Failure } from '../../helpers/failure.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { Cleanup } from '../../helpers/run/cleanup.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import type { Runtime } from '../../helpers/runtime/runtime.ts'
import { findPrograms, median, timed } from './bench-backup.ts'

const ROUNDS = 5
const WAL_BYTES = 1_000_000_000n

/** Prints the megabytes a second of both, and the ratio of the times; one line where the program of that major is not there. Leaves nothing. */
export async function benchWal(runtime: Runtime): Promise<void> {
  const cleanup = new Cleanup()
  cleanup.add('the runtime', () => runtime.destroy())
  try {
    const archive = new WalArchive(runtime.volume('archive'))
    const primary = runtime.node('primary', [{ volume: archive.volume, access: 'read-write' }])
    for (const one of [archive.volume, primary]) cleanup.add(one.name, () => one.destroy())
    await archive.create()
    await primary.init()
    const { name, serverVersion, major } = runtime.description
    const where = `on the ${name} runtime, PostgreSQL ${serverVersion}`
    const programs = await findPrograms(primary, major, ['pg_waldump'])
    if (programs === undefined) {
      console.log(`check of WAL ${where}: pg_waldump ${major} is not where the server is`)
      return
    }
    await primary.configure({ fsync: false, archive_mode: true, archive_command: `cp "%p" "${archive.path}/%f"` })
    await primary.start()
    const { startLsn, first, last } = await write(primary, archive)
    const [cluster] = await primary.query('SELECT system_identifier::text AS id FROM pg_control_system()')
    const contents = await readContents([archive])
    const backup = { timeline: 1, startLsn, stopLsn: startLsn }
    const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
    for (let round = 0; round < ROUNDS; round++) {
      const waldump = `'${programs}/pg_waldump' --quiet -p '${archive.path}' ${first} ${last}`
      times.theirs.push(await timed(async () => void (await primary.exec(waldump))))
      times.ours.push(
        await timed(async () => {
          const auditor = new ArchiveAuditor([archive], { systemIdentifier: cluster?.id ?? '', deep: true })
          const { verdict, gaps } = await auditor.audit({ ...contents, backup, target: 'latest' })
          if (verdict !== 'recoverable') throw new Failure('false-alarm', `a whole archive is ${verdict}`, { gaps })
        }),
      )
    }
    const bytes = Number(last.end.minus(first.start))
    const [own, other] = [median(times.ours), median(times.theirs)]
    const rate = (seconds: number) => `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`
    console.log(
      `check of ${(bytes / 1e6).toFixed(0)} MB of WAL ${where}, median of ${ROUNDS}: ours ${rate(own)}, pg_waldump ${rate(other)}: ${(own / other).toFixed(2)} times as long`,
    )
  } finally {
    await cleanup.run()
  }
}

/** Records of every length: narrow rows with an index, wide ones, and pages in full after each checkpoint. */
async function write(primary: PostgresNode, archive: WalArchive) {
  await primary.query(
    'CREATE TABLE narrow (id bigint PRIMARY KEY, text text); CREATE TABLE wide (id bigint, text text)',
  )
  await primary.switchWal()
  const startLsn = await primary.lsn('insert')
  const first = WalSegment.containing(startLsn, 1, archive.segmentSizeBytes)
  for (let rows = 0; (await primary.lsn('insert')).minus(startLsn) < WAL_BYTES; rows += 100_000)
    await primary.query(
      `INSERT INTO narrow SELECT n, md5(n::text) FROM generate_series(${rows}, ${rows} + 99999) AS n;
       INSERT INTO wide SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 20000) AS n;
       CHECKPOINT;
       UPDATE narrow SET text = 'changed' WHERE id % 1000 = 0`,
    )
  const last = await primary.switchWal()
  await archive.waitFor(last, primary)
  return { startLsn, first, last }
}
