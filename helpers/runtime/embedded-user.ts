import { chownSync, readFileSync } from 'node:fs'
import { CannotRun } from '../failure.ts'

export interface OperatingSystemUser {
  uid: number
  gid: number
}

/**
 * PostgreSQL refuses to run as root, and initdb wants a user that has a name: as root the servers run as `nobody`, else as
 * whoever runs the suite (`undefined`).
 * @throws {CannotRun} as root on a system without such a user.
 */
export function findServerUser(): OperatingSystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
    .find(([name]) => name === 'nobody')
  if (!fields)
    throw new CannotRun(
      'PostgreSQL does not run as root, and this system has no user `nobody` to run it as: start the drills as an ordinary user',
    )
  return { uid: Number(fields[2]), gid: Number(fields[3]) }
}

export function giveTo(user: OperatingSystemUser | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid)
}
