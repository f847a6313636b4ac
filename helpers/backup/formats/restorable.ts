import type { BackupStream, RestorableBackup } from '../../recovery/restore.ts'
import { type Neutralised, neutralise } from './take-over.ts'
import type { UserBackup } from './user-backup.ts'

/**
 * A user's backup as a restore takes it. Where nobody knows its end, its start stands for that: a recovery cannot be
 * consistent before it, and what lies between the two is left to PostgreSQL.
 */
export function restorable(backup: UserBackup): RestorableBackup {
  const { where, label, timeline, startLsn, stopLsn, stoppedAt, systemIdentifier } = backup
  const { segmentSizeBytes, serverMajor, tablespaces, sizeBytes } = backup
  return {
    id: where,
    label,
    timeline,
    startLsn,
    stopLsn: stopLsn ?? startLsn,
    stoppedAt,
    systemIdentifier,
    segmentSizeBytes,
    serverMajor,
    tablespaces,
    sizeBytes,
  }
}

export interface StreamOptions {
  /** A superuser of the original server; default: the one that initdb made. */
  user?: string
  onProgress?: (readBytes: number) => void
  onNeutralised?: (neutralised: readonly Neutralised[]) => void
}

/** How a user's backup comes into the data directory of a server, and becomes one of the drill's. */
export function streamOf(backup: UserBackup, { user, onProgress, onNeutralised }: StreamOptions = {}): BackupStream {
  return {
    unpack: (node, tablespaces) =>
      backup.unpack(part => {
        if (part === 'base') return { volume: node.data, folder: '' }
        const place = tablespaces.find(({ oid }) => oid === part.oid)
        if (!place) throw new RangeError(`tablespace ${part.oid} has no place to be restored to`)
        return place
      }, onProgress),
    neutralise: async node => onNeutralised?.(await neutralise(node, backup, user)),
  }
}
