import { readFileSync, statfsSync } from 'node:fs'
import path from 'node:path'

/** What there is on the file system that a folder lies on. */
export interface Space {
  freeBytes: number
  totalBytes: number
  /** Its type, as the operating system names it, where it is one that loses what it holds. */
  volatile: string | undefined
}

/** Why it is not known. */
export interface Unknown {
  unknown: string
}

/** What does not outlive a reboot, or the container that it is the own layer of. @see statfs(2) */
const VOLATILE_TYPES: Readonly<Record<number, string>> = {
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  2035054128: 'overlayfs',
}

/** The same by name, as `stat -f` prints it. */
export const VOLATILE_NAMES: readonly string[] = [...Object.values(VOLATILE_TYPES), 'overlay']

/** Of a folder of this machine. */
export function localSpace(folder: string): Space | Unknown {
  try {
    const { type, bsize, bavail, blocks } = statfsSync(folder)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, volatile: VOLATILE_TYPES[type] }
  } catch (error) {
    return { unknown: `${folder}: ${(error as Error).message}` }
  }
}

/**
 * Of the `pg_wal` of a server whose data directory is on this machine. Another server's may lie under the same path: so the
 * control file is asked whose it is.
 */
export function localWalSpace(dataDirectory: string, systemIdentifier: string): Space | Unknown {
  const control = path.join(dataDirectory, 'global/pg_control')
  const elsewhere = `the data directory ${dataDirectory} is not on this machine, or this user may not see it`
  try {
    if (readFileSync(control).readBigUInt64LE().toString() !== systemIdentifier) return { unknown: elsewhere }
    return localSpace(path.join(dataDirectory, 'pg_wal'))
  } catch {
    return { unknown: elsewhere }
  }
}
