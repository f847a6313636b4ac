/** What a configuration can promise of what is lost with a primary and its disk. */
export interface PromisedLoss {
  /** None: no promise in time at all. */
  seconds?: number
  walBytes: number
  sentence: string
}

/**
 * The WAL that is not archived yet when a primary is lost: at most the segment that it was writing, as long as the archiver keeps up;
 * and no older than `archive_timeout`, where one is set. What archiving itself takes comes on top.
 * @param settings.archiveTimeoutSeconds 0: none.
 * @see PostgreSQL documentation, `archive_timeout`
 */
export function promisedLoss({
  archiveTimeoutSeconds,
  segmentSizeBytes,
}: {
  archiveTimeoutSeconds: number
  segmentSizeBytes: number
}): PromisedLoss {
  const segment = `one segment of ${segmentSizeBytes / 2 ** 20} MiB of WAL`
  if (archiveTimeoutSeconds === 0) {
    return {
      walBytes: segmentSizeBytes,
      sentence: `with archive_timeout = 0 the loss is bounded by ${segment} and not in time: a quiet server can lose hours; set archive_timeout`,
    }
  }
  return {
    seconds: archiveTimeoutSeconds,
    walBytes: segmentSizeBytes,
    sentence: `with archive_timeout = ${archiveTimeoutSeconds} s the loss is bounded by that, by ${segment}, and by what archiving takes`,
  }
}
