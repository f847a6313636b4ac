import type { WalArchive } from '../archive/wal-archive.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'

/**
 * Loses a segment that stands in the archive: it is moved out of it, to where no server looks.
 * @returns its repair, which puts the segment back. A second call does nothing; a call that failed can be made again.
 */
export async function takeSegment(archive: WalArchive, segment: WalSegment): Promise<() => Promise<void>> {
  const putBack = await archive.take(segment.name)
  let isBack = false
  return async () => {
    if (isBack) return
    await putBack()
    isBack = true
  }
}
