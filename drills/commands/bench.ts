// npm run bench: the suite's own machinery against the bare procedure, the same phases with the same rows on the same
// programs, in pairs that take turns. Prints the median of each phase side by side and the ratio of the totals. Then base
// backup and manifest check against PostgreSQL's own programs, in containers too where a run would use them; and the check of WAL.
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { readContents } from '../../helpers/archive/archive-contents.ts'
import { WalArchive } from '../../helpers/archive/wal-archive.ts'
import { takeBaseBackup } from '../../helpers/backup/base-backup.ts'
import { loadConfig } from '../../helpers/config.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun, Failure } from '../../helpers/failure.ts'
import { untilPausedAt } from '../../helpers/recovery/recovery-end.ts'
import { restoreBaseBackup } from '../../helpers/recovery/restore.ts'
import { Cleanup } from '../../helpers/run/cleanup.ts'
import { newRunId, Run } from '../../helpers/run/run.ts'
import { type EmbeddedDescription, EmbeddedRuntime, openEmbedded } from '../../helpers/runtime/embedded.ts'
import { findServerUser, giveTo } from '../../helpers/runtime/embedded-user.ts'
import { findFreePort } from '../../helpers/runtime/free-port.ts'
import { joinRuntime, openRuntime } from '../../helpers/runtime/open.ts'
import { benchBackup, median } from './bench-backup.ts'
import { benchWal } from './bench-wal.ts'

/** Milliseconds, by phase. */
type Phases = Map<string, number>

await exitWith(async () => {
  const { values } = parseArgs({
    options: { pairs: { type: 'string', default: '5' }, rows: { type: 'string', default: '100000' } },
  })
  if ((await execa('psql', ['--version'], { reject: false })).exitCode !== 0)
    throw new CannotRun('the bare procedure needs psql: install a PostgreSQL client')
  const config = loadConfig()
  const run = Run.open(newRunId())
  try {
    const description = await openEmbedded(
      { pgMajor: config.pgMajor, load: 'nightly', reason: 'npm run bench' },
      run.context,
    )
    console.log(
      `PostgreSQL ${description.serverVersion}, ${values.rows} rows before the backup and after it, ${values.pairs} pairs`,
    )
    const [ours, bare]: [Phases[], Phases[]] = [[], []]
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      bare.push(await bareProcedure(run, description, Number(values.rows)))
      ours.push(await ownProcedure(run, description, Number(values.rows)))
    }
    print(ours, bare)
    await benchBackup(new EmbeddedRuntime(description, run.context))
    await benchWal(new EmbeddedRuntime(description, run.context))
    const chosen = await openRuntime(config, 'nightly', run.context)
    if (chosen.name === 'docker') await benchBackup(await joinRuntime(chosen, run.context))
  } finally {
    await run.close()
  }
  return 0
})

async function bareProcedure(run: Run, { bin }: EmbeddedDescription, rows: number): Promise<Phases> {
  const directory = path.join(run.context.directory, 'bare')
  const user = findServerUser()
  mkdirSync(directory, { mode: 0o700 })
  giveTo(user, directory)
  try {
    const { stdout } = await execa('sh', ['-s', directory, String(await findFreePort()), String(rows)], {
      ...user,
      inputFile: path.join(import.meta.dirname, 'bare-procedure.sh'),
      cwd: '/',
      env: { PATH: `${bin}:${process.env.PATH}`, LC_ALL: 'C', DRILL_RUN_ID: run.context.id },
    })
    return new Map(stdout.split('\n').map(line => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])]))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function ownProcedure(run: Run, shared: EmbeddedDescription, rows: number): Promise<Phases> {
  const phases: Phases = new Map()
  let atMs = performance.now()
  const phase = (name: string) => {
    phases.set(name, performance.now() - atMs)
    atMs = performance.now()
  }
  const cleanup = new Cleanup()
  try {
    const runtime = new EmbeddedRuntime(shared, run.context)
    const primary = runtime.node('primary')
    const restored = runtime.node('restored')
    const archive = new WalArchive(runtime.volume('archive'))
    const backups = runtime.volume('backups')
    for (const one of [archive.volume, backups, primary, restored]) cleanup.add(one.name, () => one.destroy())
    await archive.create()
    await backups.create()
    await primary.init()
    await primary.configure({
      fsync: false,
      archive_mode: true,
      archive_command: `test ! -e "${archive.path}/%f" && cp "%p" "${archive.path}/%f"`,
    })
    phase('init')
    await primary.start()
    phase('start')
    await primary.query(
      `CREATE TABLE bench (id bigint PRIMARY KEY, text text); INSERT INTO bench SELECT i, md5(i::text) FROM generate_series(1, ${rows}) i`,
    )
    phase('rows')
    const backup = await takeBaseBackup(primary, backups)
    phase('backup')
    await primary.query(`INSERT INTO bench SELECT i, md5(i::text) FROM generate_series(${rows} + 1, 2 * ${rows}) i`)
    phase('more rows')
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await primary.query('DELETE FROM bench')
    await archive.waitFor(await primary.switchWal(), primary)
    await primary.destroy()
    phase('incident')
    await restoreBaseBackup(restored, {
      backup,
      restoreCommand: `cp "${archive.path}/%f" "%p"`,
      target,
      action: 'pause',
      targetTimeline: 'latest',
      reach: { ...(await readContents([archive])), now: new Date().toISOString() },
    })
    phase('restore')
    await restored.launchServer()
    await untilPausedAt(restored, target)
    phase('replay')
    await restored.promote()
    phase('promote')
    const [row] = await restored.query('SELECT count(*) FROM bench')
    if (row?.count !== String(2 * rows))
      throw new Failure('rows-missing', `${row?.count} rows recovered instead of ${2 * rows}`)
    phase('count')
    return phases
  } finally {
    await cleanup.run()
  }
}

function print(ours: Phases[], bare: Phases[]): void {
  const total = (phases: Phases) => [...phases.values()].reduce((sum, ms) => sum + ms, 0)
  const line = (name: string, own: number, other: number) =>
    console.log(
      `${name.padEnd(10)} ${own.toFixed(0).padStart(8)} ${other.toFixed(0).padStart(8)} ${(own / other).toFixed(2).padStart(7)}`,
    )
  console.log(`${'ms'.padEnd(10)} ${'suite'.padStart(8)} ${'bare'.padStart(8)} ${'ratio'.padStart(7)}`)
  for (const name of ours[0]?.keys() ?? [])
    line(name, median(ours.map(one => one.get(name) ?? 0)), median(bare.map(one => one.get(name) ?? 0)))
  line('total', median(ours.map(total)), median(bare.map(total)))
}
