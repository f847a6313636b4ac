import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import fc from 'fast-check'
import { Header, Parser } from 'tar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { membersOfTar } from './layout.ts'
import { contentOf } from './member.ts'
import { TAR_END, tarHeader, tarPadding } from './tar-writer.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tar-members-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The members of a tar that is in a file of its own. */
async function read(tar: Buffer, name = 'base.tar'): Promise<Record<string, string>> {
  const file = path.join(folder, name)
  writeFileSync(file, tar)
  return await readFile(file)
}

async function readFile(file: string): Promise<Record<string, string>> {
  const found = new Map<string, string>()
  for await (const member of membersOfTar(file))
    found.set(member.path, member.kind === 'folder' ? '/' : (await contentOf(member)).toString('latin1'))
  return Object.fromEntries(found)
}

function member(fields: Exclude<ConstructorParameters<typeof Header>[0], Buffer>, content = Buffer.alloc(0)): Buffer {
  const block = Buffer.alloc(512)
  new Header({ type: 'File', size: content.length, mode: 0o600, mtime: new Date(0), ...fields }).encode(block)
  return Buffer.concat([block, content, tarPadding(content.length)])
}

const paxOf = (record: string) => {
  let length = record.length + 3
  while (`${length} ${record}\n`.length !== length) length = `${length} ${record}\n`.length
  return member({ path: 'pax', type: 'ExtendedHeader' }, Buffer.from(`${length} ${record}\n`))
}

describe('a tar', () => {
  test('gives its files and folders by their plain paths', async () => {
    const tar = Buffer.concat([
      member({ path: './', type: 'Directory' }),
      member({ path: './base/1//', type: 'Directory' }),
      member({ path: './base/1/1259' }, Buffer.from('rows')),
      member({ path: 'empty' }),
      TAR_END,
    ])
    const expected = { 'base/1': '/', 'base/1/1259': 'rows', empty: '' }
    expect(await read(tar)).toEqual(expected)
    expect(await read(gzipSync(tar), 'base.tar.gz')).toEqual(expected)
  })

  test.each(['gnu', 'pax', 'ustar', 'v7'])('of GNU tar in the format %s', async format => {
    const source = path.join(folder, `source-${format}`)
    const long = format === 'v7' ? 'short' : `${'d'.repeat(90)}/${'n'.repeat(80)}`
    await execa('sh', [
      '-c',
      `mkdir -p '${source}/${path.dirname(long)}' && printf x > '${source}/${long}' && tar --format=${format} -C '${source}' -cf '${source}.tar' .`,
    ])
    expect((await readFile(`${source}.tar`))[long]).toBe('x')
  })

  test('is read by what a pax header says of path and size', async () => {
    const tar = Buffer.concat([
      paxOf('path=global/1'),
      member({ path: 'other' }, Buffer.from('one')),
      member({ path: 'next' }, Buffer.from('two')),
      TAR_END,
    ])
    expect(await read(tar)).toEqual({ 'global/1': 'one', next: 'two' })
  })

  test('may be passed over without reading what is in it', async () => {
    const tar = Buffer.concat([member({ path: 'a' }, Buffer.alloc(5_000)), member({ path: 'b' }), TAR_END])
    for (const [name, bytes] of [
      ['base.tar', tar],
      ['base.tar.gz', gzipSync(tar)],
    ] as const) {
      writeFileSync(path.join(folder, name), bytes)
      const names: string[] = []
      for await (const { path } of membersOfTar(path_(name))) names.push(path)
      expect(names).toEqual(['a', 'b'])
    }
  })
})

const path_ = (name: string) => path.join(folder, name)

describe('a tar is refused', () => {
  test.each([
    ['an absolute path', member({ path: '/etc/passwd' }), /would leave the folder/],
    ['a path through the parent folder', member({ path: 'base/../../x' }), /would leave the folder/],
    ['such a path in a pax header', Buffer.concat([paxOf('path=../x'), member({ path: 'x' })]), /would leave/],
    [
      'such a path in GNU form',
      Buffer.concat([
        member({ path: '././@LongLink', type: 'NextFileHasLongPath' }, Buffer.from('../../x\0')),
        member({ path: 'x' }),
      ]),
      /would leave/,
    ],
    ['a symbolic link', member({ path: 'a', type: 'SymbolicLink', linkpath: '/etc' }), /symbolic link to '\/etc'/],
    [
      "a tablespace's link",
      member({ path: 'pg_tblspc/16384', type: 'SymbolicLink', linkpath: '/fast' }),
      /give the backup as a folder, or take it with pg_basebackup -F t/,
    ],
    ['a hard link', member({ path: 'a', type: 'Link', linkpath: 'b' }), /a hard link/],
    ['a device', member({ path: 'a', type: 'BlockDevice' }), /a block device/],
    ['a pipe', member({ path: 'a', type: 'FIFO' }), /a pipe/],
    [
      'a sparse file in pax form',
      Buffer.concat([paxOf('GNU.sparse.major=1'), member({ path: 'a' })]),
      /without --sparse/,
    ],
    [
      'a folder with content',
      member({ path: 'a/', type: 'Directory', size: 512 }, Buffer.alloc(512)),
      /both a folder and a file/,
    ],
  ])('with %s', async (_, tar, message) => {
    const refused = read(Buffer.concat([tar, TAR_END]))
    await expect(refused).rejects.toMatchObject({ name: 'Failure', kind: 'backup-unsafe' })
    await expect(refused).rejects.toThrow(message)
  })

  test('with a sparse file of GNU tar', async () => {
    const source = path_('sparse')
    await execa('sh', [
      '-c',
      `mkdir '${source}' && truncate -s 1M '${source}/hole' && tar --sparse --format=gnu -C '${source}' -cf '${source}.tar' .`,
    ])
    await expect(readFile(`${source}.tar`)).rejects.toThrow(/without --sparse/)
  })

  const whole = Buffer.concat([member({ path: 'a' }, Buffer.alloc(3_000, 'x')), TAR_END])
  test.each([
    ['in a header', whole.subarray(0, 300)],
    ['in a file', whole.subarray(0, 2_000)],
    ['before its end marker', whole.subarray(0, 512 + 3_072)],
    ['in what gzip has packed', gzipSync(whole).subarray(0, 40)],
    ['before the checksum of gzip', gzipSync(whole.subarray(0, 3_584)).subarray(0, -4)],
  ])('cut off %s', async (_, tar) => {
    await expect(read(tar)).rejects.toMatchObject({ kind: 'backup-truncated' })
  })

  test('cut off in what zstd has packed', async () => {
    const file = path_('whole.tar')
    writeFileSync(
      file,
      Buffer.concat([
        member({ path: 'a' }, Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n) % 251))),
        TAR_END,
      ]),
    )
    await execa('zstd', ['-q', '-f', file])
    expect(Object.keys(await readFile(`${file}.zst`))).toEqual(['a'])
    await execa('truncate', ['-s', '-20', `${file}.zst`])
    await expect(readFile(`${file}.zst`)).rejects.toMatchObject({ kind: 'backup-truncated' })
  })

  test('whose header was changed', async () => {
    const changed = Buffer.from(whole)
    changed[0] = 0x62
    await expect(read(changed)).rejects.toThrow(/is no tar, or a header in it was changed/)
  })

  test('packed with what is not read here', async () => {
    const lz4 = Buffer.concat([Buffer.from('04224d18', 'hex'), Buffer.alloc(100)])
    await expect(read(lz4, 'base.tar.lz4')).rejects.toMatchObject({
      name: 'CannotRun',
      message: expect.stringContaining('lz4'),
    })
  })
})

describe('a tar of ours', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_.äé-]{1,60}$/).filter(name => !/^\.*$/.test(name))
  const files = fc.uniqueArray(
    fc.record({
      path: fc.array(part, { minLength: 1, maxLength: 5 }).map(parts => parts.join('/')),
      content: fc.uint8Array({ maxLength: 2_000 }),
    }),
    { selector: ({ path }) => path, minLength: 1, maxLength: 8 },
  )
  const tarOf = (list: { path: string; content: Uint8Array }[]) =>
    Buffer.concat([
      ...list.flatMap(({ path, content }) => [
        tarHeader(path, 'file', content.length),
        Buffer.from(content),
        tarPadding(content.length),
      ]),
      TAR_END,
    ])

  test('is what another reader sees, and what we see', async () => {
    await fc.assert(
      fc.asyncProperty(files, async list => {
        const tar = tarOf(list)
        // A member may be called __proto__, to which an object's property cannot be assigned.
        const seen = new Map<string, string>()
        await new Promise<void>((resolve, reject) => {
          const parser = new Parser({ strict: true })
          parser.on('entry', entry => {
            const chunks: Buffer[] = []
            entry.on('data', (chunk: Buffer) => chunks.push(chunk))
            entry.on('end', () => {
              seen.set(entry.path, Buffer.concat(chunks).toString('latin1'))
            })
          })
          parser.on('end', resolve)
          parser.on('warn', (_, message) => reject(new Error(String(message))))
          parser.end(tar)
        })
        const expected = Object.fromEntries(
          list.map(({ path, content }) => [path, Buffer.from(content).toString('latin1')]),
        )
        expect(Object.fromEntries(seen)).toEqual(expected)
        expect(await read(tar)).toEqual(expected)
      }),
      { numRuns: 50 },
    )
  })

  test('has room for a file of more than eight gibibytes', () => {
    expect(new Header(tarHeader('a', 'file', 9 * 2 ** 30)).size).toBe(9 * 2 ** 30)
  })
})
