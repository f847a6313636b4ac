import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { WalSource } from '../../archive/wal-source.ts'
import { redact } from '../../environment.ts'
import { CannotRun, Failure } from '../../failure.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { plainLayout } from './layout.ts'
import type { OpenOptions } from './open.ts'
import { openLayout } from './open-layout.ts'
import type { UserBackup } from './user-backup.ts'

/** What is read of `pgbackrest info`. @see pgBackRest's command reference, "Info Command" */
const information = z.array(
  z.object({
    name: z.string(),
    backup: z
      .array(
        z.object({
          label: z.string(),
          error: z.boolean().nullish(),
          lsn: z.object({ stop: z.string().nullish() }).nullish(),
          timestamp: z.object({ stop: z.number() }),
        }),
      )
      .default([]),
  }),
)

const TOLD_BYTES = 2_000
/** Of `archive-get`: there is no such file. */
const NOT_FOUND_STATUS = 1

/**
 * The last backup of a pgBackRest repository, restored by pgBackRest itself into the scratch folder, from where it goes on as
 * a plain one: it alone reads all that a repository may be (bundles, blocks, deltas, encryption), and checks every file. The
 * repository is only read. Options that it needs besides, such as the passphrase, come from its own environment variables.
 * @throws {CannotRun} without the program, or where there is no such stanza or no backup.
 * @throws {Failure} `backup-damaged` when pgBackRest does not restore it.
 */
export async function openRepository(where: string, { stanza, scratch }: OpenOptions): Promise<UserBackup> {
  mkdirSync(scratch, { recursive: true })
  const repository = new Repository(path.resolve(where), scratch, findStanza(where, stanza))
  const last = await repository.lastBackup(where)
  await repository.restore(where)
  const known = {
    ...(last.lsn?.stop ? { stopLsn: Lsn.parse(last.lsn.stop) } : {}),
    stoppedAt: `${new Date(last.timestamp.stop * 1000).toISOString().slice(0, 19).replace('T', ' ')}.000000+00`,
  }
  const backup = await openLayout(where, plainLayout(repository.data), 'pgbackrest', known)
  return { ...backup, archive: repository.wal(where) }
}

function findStanza(where: string, wanted: string | undefined): string {
  const folder = path.join(where, 'backup')
  const stanzas = readdirSync(folder).filter(name => existsSync(path.join(folder, name, 'backup.info')))
  const [only] = stanzas
  if (wanted !== undefined && stanzas.includes(wanted)) return wanted
  if (wanted === undefined && only !== undefined && stanzas.length === 1) return only
  throw new CannotRun(
    wanted === undefined
      ? `${where} has the stanzas ${stanzas.join(', ')}: name one of them`
      : `${where} has no stanza ${wanted}, but ${stanzas.join(', ') || 'none'}: correct its name`,
  )
}

class Repository {
  constructor(
    private readonly path: string,
    private readonly scratch: string,
    private readonly stanza: string,
  ) {}

  /** Where the backup is restored to, as a plain one. */
  get data(): string {
    return path.join(this.scratch, 'data')
  }

  async lastBackup(where: string): Promise<z.infer<typeof information>[number]['backup'][number]> {
    const { exitCode, stdout, stderr } = await this.#run(['--output=json', 'info'])
    const parsed = exitCode === 0 ? information.safeParse(JSON.parse(stdout)) : undefined
    const last = parsed?.data?.find(({ name }) => name === this.stanza)?.backup.at(-1)
    if (last) return last
    throw new CannotRun(
      `${where} has no backup of the stanza ${this.stanza} that pgBackRest can read${stderr ? `: ${stderr}` : ': take one first'}`,
    )
  }

  async restore(where: string): Promise<void> {
    mkdirSync(this.data, { recursive: true, mode: 0o700 })
    const { exitCode, stderr } = await this.#run([
      `--pg1-path=${this.data}`,
      `--tablespace-map-all=${path.join(this.scratch, 'tablespaces')}`,
      '--type=none',
      'restore',
    ])
    if (exitCode !== 0)
      throw new Failure(
        'backup-damaged',
        `pgBackRest does not restore ${where}: ${stderr || `it ended with ${exitCode}`}`,
        {
          exitStatus: exitCode ?? null,
        },
      )
  }

  wal(where: string): WalSource {
    const target = path.join(this.scratch, 'fetched')
    return {
      where: `${where} (stanza ${this.stanza})`,
      fetch: async name => {
        rmSync(target, { force: true })
        const { exitCode, stderr } = await this.#run([
          `--pg1-path=${this.data}`,
          '--no-archive-async',
          'archive-get',
          name,
          target,
        ])
        if (exitCode === NOT_FOUND_STATUS) return undefined
        if (exitCode !== 0)
          throw new Failure('restore-command-failed', `pgBackRest does not fetch ${name}: ${stderr}`, {
            name,
            exitStatus: exitCode ?? null,
          })
        return readFileSync(target)
      },
    }
  }

  /** With files of its own besides in the scratch folder alone, and no configuration but the environment's. */
  async #run(command: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
    const result = await execa(
      'pgbackrest',
      [
        '--no-config',
        `--stanza=${this.stanza}`,
        `--repo1-path=${this.path}`,
        '--log-level-console=off',
        '--log-level-stderr=error',
        '--log-level-file=off',
        `--lock-path=${path.join(this.scratch, 'lock')}`,
        ...command,
      ],
      {
        cwd: this.scratch,
        // By the environment, where a version that does not know it passes over it: a damaged file stays damaged.
        env: { PGBACKREST_JOB_RETRY: '0' },
        stdin: 'ignore',
        reject: false,
        maxBuffer: 64 * 1024 * 1024,
      },
    )
    if (result.code === 'ENOENT')
      throw new CannotRun(
        `${this.path} is a pgBackRest repository, and the program pgbackrest is not on this machine: install it (Debian: apt-get install pgbackrest), or name a backup taken with pg_basebackup`,
      )
    const { exitCode, stdout, stderr } = result
    return { exitCode, stdout, stderr: redact(stderr.slice(-TOLD_BYTES)).trim() }
  }
}
