import fc from 'fast-check'
import { Header } from 'tar'
import { describe, expect, test } from 'vitest'
import { TarGuard } from './tar-guard.ts'

const END = Buffer.alloc(1024)

function member(
  path: string,
  fields: Exclude<ConstructorParameters<typeof Header>[0], Buffer> = {},
  content = Buffer.alloc(0),
): Buffer {
  const block = Buffer.alloc(512)
  new Header({ path, type: 'File', size: content.length, mode: 0o600, mtime: new Date(0), ...fields }).encode(block)
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

/** Changes bytes of a header and makes its checksum right again. */
function forge(block: Buffer, at: number, bytes: Buffer | string): Buffer {
  const forged = Buffer.from(block)
  Buffer.from(bytes as string).copy(forged, at)
  forged.write('        ', 148, 'latin1')
  const total = forged.subarray(0, 512).reduce((sum, byte) => sum + byte, 0)
  forged.write(`${total.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return forged
}

function pass(tar: Buffer, chunkBytes = tar.length): void {
  const guard = new TarGuard()
  for (let at = 0; at < tar.length; at += chunkBytes) guard.check(tar.subarray(at, at + chunkBytes))
  guard.end()
}

const content = Buffer.from('content that looks like ../../etc/passwd')

const harmless: Record<string, Buffer> = {
  'a file': member('base/1/1259', {}, content),
  'an empty file': member('PG_VERSION'),
  'a directory': member('pg_wal/', { type: 'Directory' }),
  'a directory as PostgreSQL names it': member('./pg_wal/archive_status/', { type: 'Directory' }),
  'a name that only looks like the parent folder': member('base/..1259'),
  'a name of 100 bytes': forge(member('x'), 0, 'x'.repeat(100)),
}

const harmful: Record<string, Buffer> = {
  'an absolute path': member('/etc/passwd'),
  'a path through the parent folder': member('base/../../x'),
  'the parent folder itself': member('..', { type: 'Directory' }),
  'a symbolic link out': member('pg_tblspc/16384', { type: 'SymbolicLink', linkpath: '/var/tablespace' }),
  'a symbolic link within': member('a', { type: 'SymbolicLink', linkpath: 'b' }),
  'a hard link': member('a', { type: 'Link', linkpath: '../b' }),
  'a character device': member('a', { type: 'CharacterDevice' }),
  'a pipe': member('a', { type: 'FIFO' }),
  'a pax header': member('a', { type: 'ExtendedHeader' }, content),
  'a global pax header': member('a', { type: 'GlobalExtendedHeader' }, content),
  'a long name of GNU tar': member('././@LongLink', { type: 'NextFileHasLongPath' }, content),
  'a type of before ustar': forge(member('a'), 156, '\0'),
  'a prefix before the name': forge(member('a'), 345, '/etc'),
  'a name that goes on after its end': forge(member('a'), 50, '/../x'),
  'no name': forge(member('a'), 0, '\0'),
  'a directory with content': forge(member('a/', {}, Buffer.alloc(512)), 156, '5'),
  'a file that is named like a directory': forge(member('a'), 1, '/'),
  'a size that is no number': forge(member('a'), 124, 'x'),
  'a negative size': forge(member('a'), 124, Buffer.alloc(12, 0xff)),
  'a size beyond what can be counted': forge(member('a'), 124, Buffer.from([0x80, ...Array<number>(11).fill(0xff)])),
  'a header that is not of ustar': forge(member('a'), 257, 'ustar  \0'),
  'a checksum that is not right': Buffer.from(member('a').fill('b', 0, 1)),
}

describe('a tar of a base backup', () => {
  test.each(Object.entries(harmless))('may hold %s', (_, tar) => {
    expect(() => pass(Buffer.concat([tar, END]))).not.toThrow()
  })

  test.each(Object.entries(harmful))('may not hold %s', (_, tar) => {
    expect(() => pass(Buffer.concat([member('before', {}, content), tar, END]))).toThrow(
      expect.objectContaining({ kind: 'backup-unsafe' }),
    )
  })

  test('may not go on after its end', () => {
    expect(() => pass(Buffer.concat([END, member('a')]))).toThrow(/after its end/)
  })

  test('may hold a file of more than eight gibibytes', () => {
    const size = Buffer.alloc(12)
    size[0] = 0x80
    size.writeUIntBE(9 * 2 ** 30, 6, 6)
    const guard = new TarGuard()
    guard.check(forge(member('a'), 124, size))
    const chunk = Buffer.alloc(64 * 2 ** 20)
    for (let count = 0; count < 9 * 16; count++) guard.check(chunk)
    guard.check(END)
    expect(() => guard.end()).not.toThrow()
  })

  test.each([0, 256, 512, 600, 1024])('is not complete after %i bytes', bytes => {
    const whole = Buffer.concat([member('a', {}, content), END])
    expect(() => pass(whole.subarray(0, bytes))).toThrow(expect.objectContaining({ kind: 'backup-interrupted' }))
  })

  test('is judged the same however it is cut into chunks', () => {
    const members = fc.array(
      fc.oneof(fc.constantFrom(...Object.entries(harmless)), fc.constantFrom(...Object.entries(harmful))),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(
        members,
        fc.integer({ min: 1, max: 2000 }),
        fc.uint8Array({ maxLength: 1500 }),
        (chosen, chunkBytes, bytes) => {
          const tar = Buffer.concat([member('first', {}, Buffer.from(bytes)), ...chosen.map(([, block]) => block), END])
          const isHarmless = chosen.every(([what]) => what in harmless)
          if (isHarmless) expect(() => pass(tar, chunkBytes)).not.toThrow()
          else expect(() => pass(tar, chunkBytes)).toThrow(expect.objectContaining({ kind: 'backup-unsafe' }))
        },
      ),
    )
  })

  test('is refused before the end of the harmful header has been handed on', () => {
    const before = member('before', {}, content)
    const bad = member('/etc/passwd')
    const guard = new TarGuard()
    let handedOn = 0
    expect(() => {
      for (const byte of Buffer.concat([before, bad, END])) {
        guard.check(Buffer.of(byte))
        handedOn++
      }
    }).toThrow(/would leave/)
    expect(handedOn).toBe(before.length + 511)
  })
})
