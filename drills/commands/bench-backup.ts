// A part of npm run bench: the suite's base backup and its manifest check against PostgreSQL's own programs, on the same
// server, in turns.
import { Readable } from 'node:stream'
import { takeBaseBackup } from '../../helpers/backup/base-backup.ts'
import { verifyBaseBackup } from '../../helpers/backup/manifest.ts'
import { Cleanup } from '../../helpers/run/cleanup.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import type { Runtime } from '../../helpers/runtime/runtime.ts'

const ROUNDS = 5
/** Of rows a kilobyte wide. */
const ROWS = 300_000

/** Seconds, one a round. */
interface Times {
  ours: number[]
  theirs: number[]
}

/**
 * Prints the megabytes a second of both, and the ratio of the times; one line where the programs of the server's major are
 * not beside the server. Leaves nothing.
 */
export async function benchBackup(runtime: Runtime): Promise<void> {
  const cleanup = new Cleanup()
  cleanup.add('the runtime', () => runtime.destroy())
  try {
    const store = runtime.volume('backups')
    const mounts = [{ volume: store, access: 'read-write' as const }]
    const [primary, copy] = [runtime.node('primary', mounts), runtime.node('copy', mounts)]
    for (const one of [store, primary, copy]) cleanup.add(one.name, () => one.destroy())
    await store.create()
    await primary.init()
    const { name, serverVersion, major } = runtime.description
    const programs = await findPrograms(primary, major, ['pg_basebackup', 'pg_verifybackup'])
    const where = `on the ${name} runtime, PostgreSQL ${serverVersion}`
    if (programs === undefined) {
      console.log(`base backup ${where}: pg_basebackup and pg_verifybackup ${major} are not where the server is`)
      return
    }
    await primary.configure({ fsync: false })
    await primary.start()
    await primary.query(
      `CREATE TABLE bench AS SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, ${ROWS}) AS n; CHECKPOINT`,
    )
    const taking: Times = { ours: [], theirs: [] }
    for (let round = 0; round < ROUNDS; round++) {
      taking.ours.push(
        await timed(async () => {
          const { folder } = await takeBaseBackup(primary, store)
          return () => store.remove(folder)
        }),
      )
      taking.theirs.push(
        await timed(async () => {
          await runBaseBackup(primary, `${programs}/pg_basebackup`, `${store.path}/theirs`)
          return () => store.remove('theirs')
        }),
      )
    }
    const backup = await takeBaseBackup(primary, store)
    await copy.initFrom(backup)
    const checking: Times = { ours: [], theirs: [] }
    for (let round = 0; round < ROUNDS; round++) {
      checking.ours.push(await timed(() => verifyBaseBackup(backup, copy.data)))
      checking.theirs.push(
        await timed(async () => void (await copy.exec(`'${programs}/pg_verifybackup' -n -q '${copy.data.path}'`))),
      )
    }
    console.log(`base backup of ${(backup.sizeBytes / 1e6).toFixed(0)} MB ${where}, median of ${ROUNDS}`)
    print('take it', 'pg_basebackup', taking, backup.sizeBytes)
    print('check it', 'pg_verifybackup', checking, backup.sizeBytes)
  } finally {
    await cleanup.run()
  }
}

/** @returns the folder of those programs of that major, as the server's machine or container has them. */
export async function findPrograms(
  server: PostgresNode,
  major: number,
  programs: readonly string[],
): Promise<string | undefined> {
  const found = await server.exec(
    `for folder in /usr/lib/postgresql/${major}/bin $(printf '%s' "$PATH" | tr ':' ' '); do
       case $("$folder/${programs[0]}" --version 2> /dev/null) in
         *') ${major}'*) ${programs.map(program => `test -x "$folder/${program}" && `).join('')}echo "$folder" && exit;;
       esac
     done; true`,
  )
  return found || undefined
}

/** With what ours does: a fast checkpoint, no WAL, SHA-256, nothing flushed. */
async function runBaseBackup(primary: PostgresNode, program: string, folder: string): Promise<void> {
  const [row] = await primary.query('SHOW port')
  await primary.exec(
    `read -r PGPASSWORD; export PGPASSWORD
     '${program}' -h 127.0.0.1 -p ${row?.port} -U postgres -D '${folder}' -X none -c fast --manifest-checksums=SHA256 --no-sync 2>&1`,
    { stdin: Readable.from([`${primary.connection.password}\n`]) },
  )
}

/** @param body what it returns is done when the clock stands. */
export async function timed(body: () => Promise<void | (() => Promise<void>)>): Promise<number> {
  const startedAtMs = performance.now()
  const undo = await body()
  const seconds = (performance.now() - startedAtMs) / 1000
  await undo?.()
  return seconds
}

function print(what: string, program: string, { ours, theirs }: Times, bytes: number): void {
  const [own, other] = [median(ours), median(theirs)]
  const rate = (seconds: number) => `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`
  console.log(
    `${what.padEnd(10)} ours ${rate(own)}, ${program} ${rate(other)}: ${(own / other).toFixed(2)} times as long`,
  )
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
