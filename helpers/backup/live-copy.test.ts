import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeCopy } from './live-copy.ts'

const expected = [
  'tar: ./base/5/16384: file changed as we read it',
  'tar: ./base/5/16385: File removed before we read it',
  'tar: ./base/5/16386: File shrank by 8192 bytes; padding with zeros',
  'tar: ./base/5/16387: Cannot stat: No such file or directory',
  'tar: ./base/5/16388: No such file or directory',
  'tar: Exiting with failure status due to previous errors',
  'tar: error exit delayed from previous errors',
]
const harmful = [
  'tar: ./base/5/16384: Cannot open: Permission denied',
  'tar: ./base/5/16384: Read error at byte 0, while reading 8192 bytes: Input/output error',
  'sh: tar: not found',
  'tar: short read',
]

test('what changes under the copy is as it must be, and anything else is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...expected)),
      fc.array(fc.constantFrom(...harmful), { maxLength: 2 }),
      fc.constantFrom(1, 2),
      (said, wrong, status) => {
        const report = [...said, ...wrong, `exit ${said.length + wrong.length === 0 ? 0 : status}`].join('\n')
        if (wrong.length === 0) judgeCopy(report)
        else expect(() => judgeCopy(report)).toThrow(expect.objectContaining({ kind: 'backup-not-copied' }))
      },
    ),
  )
})

test('a copy that failed silently, or of which nothing is known, is none', () => {
  for (const report of ['', 'exit 2']) expect(() => judgeCopy(report)).toThrow(/was not copied/)
})
