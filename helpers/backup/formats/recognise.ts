import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../../failure.ts'
import { type Layout, membersOfTar, plainLayout, tarLayout } from './layout.ts'
import { reading } from './plain-members.ts'

/** `base.tar`, `16384.tar.gz`, `pg_wal.tar.zst`, `mine.tgz`: the name without what the compression adds. */
const TAR = /^(.+)(?:\.tar(?:\.(?:gz|zst|lz4|bz2|xz))?|\.tgz)$/s

/**
 * What kind of backup lies there, by names and first bytes.
 * @throws {CannotRun} that says what it is instead.
 */
export async function recogniseBackup(where: string): Promise<Layout | 'pgbackrest'> {
  const absolute = path.resolve(where)
  if (!existsSync(absolute))
    throw new CannotRun(
      `there is no file or folder ${where}: correct the path to the backup, or mount what should be there`,
    )
  return statSync(absolute).isDirectory() ? recogniseFolder(absolute, where) : await recogniseFile(absolute, where)
}

function recogniseFolder(folder: string, where: string): Layout | 'pgbackrest' {
  const names = reading(folder, () => readdirSync(folder))
  if (names.length === 0) throw new CannotRun(`${where} is an empty folder: name the folder of a base backup`)
  if (names.includes('PG_VERSION')) {
    refuseRunning(folder, where)
    return plainLayout(folder)
  }
  const tars = new Map(
    names.flatMap(name => (TAR.test(name) ? [[tarName(name), path.join(folder, name)] as const] : [])),
  )
  const base = tars.get('base.tar')
  if (base !== undefined) return tarLayout(base, withManifest(tars, folder))
  if (isRepository(folder)) return 'pgbackrest'
  if (names.includes('toc.dat')) throw aDump(where)
  const within = names.find(name => isBackupFolder(path.join(folder, name)))
  throw new CannotRun(
    within === undefined
      ? `${where} is not the folder of a base backup: it has neither PG_VERSION nor base.tar in it, nor is it a pgBackRest repository`
      : `${where} is not a base backup, but the folder ${within} in it is: name ${path.join(where, within)}`,
  )
}

async function recogniseFile(file: string, where: string): Promise<Layout> {
  if (/^PGDMP|^--\n-- PostgreSQL database/.test(head(file))) throw aDump(where)
  const name = path.basename(file)
  if (!TAR.test(name))
    throw new CannotRun(
      `${where} is neither a folder nor a tar: name the folder of a base backup, or its base.tar, base.tar.gz or base.tar.zst`,
    )
  const folder = path.dirname(file)
  if (tarName(name) === 'base.tar') {
    const names = reading(folder, () => readdirSync(folder))
    const tars = new Map(names.filter(one => TAR.test(one)).map(one => [tarName(one), path.join(folder, one)] as const))
    return tarLayout(file, withManifest(tars, folder))
  }
  for await (const member of membersOfTar(file)) {
    if (member.path === 'toc.dat') throw aDump(where)
    break
  }
  return tarLayout(file, new Map())
}

function tarName(name: string): string {
  return `${TAR.exec(name)?.[1] ?? name}.tar`
}

function withManifest(tars: Map<string, string>, folder: string): Map<string, string> {
  const manifest = path.join(folder, 'backup_manifest')
  return existsSync(manifest) ? new Map([...tars, ['backup_manifest', manifest]]) : tars
}

function isRepository(folder: string): boolean {
  const stanzas = path.join(folder, 'backup')
  return (
    existsSync(path.join(folder, 'archive')) &&
    existsSync(stanzas) &&
    readdirSync(stanzas).some(stanza => existsSync(path.join(stanzas, stanza, 'backup.info')))
  )
}

function isBackupFolder(folder: string): boolean {
  return ['PG_VERSION', 'base.tar', 'base.tar.gz', 'base.tar.zst'].some(name => existsSync(path.join(folder, name)))
}

/** By its own lock: in a copy of one, the lock names another folder. */
function refuseRunning(folder: string, where: string): void {
  const lock = path.join(folder, 'postmaster.pid')
  if (!existsSync(lock)) return
  const [pid = '', dataDirectory = ''] = reading(lock, () => readFileSync(lock, 'utf8')).split('\n')
  const isHere = existsSync(dataDirectory) && realpathSync(dataDirectory) === realpathSync(folder)
  if (isHere && isAlive(Number(pid)))
    throw new CannotRun(
      `${where} is the data directory of a running server (process ${pid}): name a base backup of it, taken with pg_basebackup`,
    )
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function aDump(where: string): CannotRun {
  return new CannotRun(
    `${where} is a dump made by pg_dump, not a base backup: no WAL can be replayed onto it; name a backup taken with pg_basebackup or pgBackRest`,
  )
}

function head(file: string): string {
  const bytes = Buffer.alloc(64)
  return reading(file, () => {
    const descriptor = openSync(file, 'r')
    try {
      return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
    } finally {
      closeSync(descriptor)
    }
  })
}
