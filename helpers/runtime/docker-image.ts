/** Where a server can be run from in an image, and as whom. */
export interface ImageFacts {
  bin: string
  serverVersion: string
  major: number
  user: string
  uid: number
  gid: number
  path: string
  /** The programs that take, combine and verify base backups stand beside the server, as far as there are any of its major. */
  hasClientPrograms: boolean
}

/** Where images keep PostgreSQL's programs: on PATH (official, alpine), as Debian does, as PostgreSQL's own RPMs do. */
const FOLDERS = '/usr/local/bin /usr/lib/postgresql/*/bin /usr/pgsql-*/bin'

/** Of PostgreSQL, with incremental backups. */
const FIRST_WITH_COMBINE = 17

/** Shell, for any POSIX `sh`: prints what `readImageFacts` reads. Needs root only in so far as nobody else is known yet. */
export const LOOK_AT_IMAGE = `echo "path $PATH"
for bin in $(IFS=:; echo $PATH) ${FOLDERS}; do
  [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] && echo "bin $bin $("$bin/postgres" --version)"
  for program in pg_basebackup pg_verifybackup pg_combinebackup; do
    [ -x "$bin/$program" ] && echo "program $bin/$program"
  done
done
while read -r line; do echo "user $line"; done < /etc/passwd`

/**
 * @returns a sentence's second half ("has no …") when no server can be run from the image.
 * @see PostgreSQL documentation, "The PostgreSQL User Account"
 */
export function readImageFacts(output: string): ImageFacts | { lack: string } {
  const lines = output.split('\n')
  const valuesOf = (key: string) =>
    lines.filter(line => line.startsWith(`${key} `)).map(line => line.slice(key.length + 1))
  const path = valuesOf('path')[0] ?? ''
  const server = chooseServer(valuesOf('bin'), path.split(':'))
  if (!server)
    return {
      lack: `has no PostgreSQL server: looked for postgres and initdb on PATH and in ${FOLDERS.replaceAll(' ', ', ')}`,
    }
  const user = chooseUser(valuesOf('user'))
  if (!user) return { lack: 'has no user but root, as whom PostgreSQL refuses to run' }
  const programs = [
    'pg_basebackup',
    'pg_verifybackup',
    ...(server.major < FIRST_WITH_COMBINE ? [] : ['pg_combinebackup']),
  ]
  return {
    ...server,
    ...user,
    path: path.split(':').includes(server.bin) ? path : `${server.bin}:${path}`,
    hasClientPrograms: programs.every(program => valuesOf('program').includes(`${server.bin}/${program}`)),
  }
}

/**
 * Which of the digests that a daemon knows of an image is that of its name's registry: an image may have been pulled from several.
 * @param digests `postgres@sha256:…` each; none of an image that was built or loaded.
 */
export function digestOf(image: string, digests: readonly string[] | null): string | undefined {
  const repository = image.replace(/@.*/, '').replace(/:[^/:]*$/, '')
  return digests?.find(digest => digest.startsWith(`${repository}@`)) ?? digests?.[0]
}

/** The one on PATH, else the newest. */
function chooseServer(
  found: string[],
  path: string[],
): Pick<ImageFacts, 'bin' | 'serverVersion' | 'major'> | undefined {
  const servers = found.flatMap(line => {
    const [, bin, serverVersion] = /^(\S+) .*\(PostgreSQL\) (\S+)/.exec(line) ?? []
    return bin && serverVersion ? [{ bin, serverVersion, major: Number.parseInt(serverVersion, 10) }] : []
  })
  return servers.find(server => path.includes(server.bin)) ?? servers.sort((a, b) => b.major - a.major)[0]
}

/** `postgres`, else one that owns nothing, else anyone: initdb fails for a uid without an entry. */
function chooseUser(passwd: string[]): Pick<ImageFacts, 'user' | 'uid' | 'gid'> | undefined {
  const users = passwd.flatMap(line => {
    const [user, , uid, gid] = line.split(':')
    return user && Number(uid) > 0 ? [{ user, uid: Number(uid), gid: Number(gid) }] : []
  })
  return users.find(({ user }) => user === 'postgres') ?? users.find(({ user }) => user === 'nobody') ?? users[0]
}
