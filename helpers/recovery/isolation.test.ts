import { describe, expect, it } from 'vitest'
import { assertArchivesElsewhere } from './isolation.ts'

const sources = [{ path: '/run/archive-1/wal' }, { path: '/run/archive-2/wal' }]

describe('what a restored server is told to archive with', () => {
  it.each([
    ['nothing', {}],
    ['archiving switched on, and no command', { archive_mode: true, archive_command: '' }],
    ['an archive of its own', { archive_mode: true, archive_command: 'cp "%p" "/run/archive-3/wal/%f"' }],
    ['a source, for another command', { archive_cleanup_command: 'pg_archivecleanup /run/archive-1/wal %r' }],
  ])('may be %s', (_, settings) => {
    expect(() => assertArchivesElsewhere(settings, sources)).not.toThrow()
  })

  it.each([true, false, 'always'])('must not lead to any source, whatever archive_mode is now (%s)', archive_mode => {
    const settings = { archive_mode, archive_command: 'cp "%p" "/run/archive-2/wal/%f"' }
    expect(() => assertArchivesElsewhere(settings, sources)).toThrow(
      expect.objectContaining({ kind: 'archives-into-source', evidence: { archive: '/run/archive-2/wal' } }),
    )
  })
})
