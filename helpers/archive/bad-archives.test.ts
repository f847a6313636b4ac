// What an audit says of an archive that is none, or not the one that was meant: never that one can recover from it.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectMissingArchiveSegment } from '../escalation/missing-archive-segment.ts'
import { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { readContents } from './archive-contents.ts'
import { type ArchiveAudit, auditArchive, statusOf } from './audit.ts'
import { WalArchive } from './wal-archive.ts'

const SIZE = 1024 * 1024
const NOBODY = 65_534
const segment = (number: number, sizeBytes = SIZE) => new WalSegment(1, BigInt(number), sizeBytes)
const lsnIn = (number: number) => Lsn.fromBytes(BigInt(number * SIZE + SIZE / 2))
/** The names of these have letters. */
const [FIRST, LAST] = [10, 13]
const NAMES = [10, 11, 12, 13].map(number => segment(number).name)

let base: string
let wal: string

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'bad-archives-test-'))
  wal = path.join(base, 'wal')
})
afterEach(() => {
  if (process.getuid?.() === 0) process.seteuid?.(0)
  rmSync(base, { recursive: true })
})

const store = (name: string, sizeBytes = SIZE, folder = wal) => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, name), '')
  truncateSync(path.join(folder, name), sizeBytes)
}
const linkOut = (name: string) => {
  store(name, SIZE, path.join(base, 'elsewhere'))
  symlinkSync(path.join(base, 'elsewhere', name), path.join(wal, name))
}
const archive = () => new WalArchive(new EmbeddedVolume('archive', base, undefined), SIZE)

async function audit(archives = [archive()], server?: { currentLsn: Lsn; lastArchived: WalSegment | undefined }) {
  const backup = { timeline: 1, startLsn: lsnIn(FIRST), stopLsn: lsnIn(FIRST + 1) }
  return auditArchive({
    ...(await readContents(archives)),
    backup,
    target: { lsn: lsnIn(LAST) },
    ...(server ? { server: { timeline: 1, ...server } } : {}),
  })
}
const reportOf = (audit: ArchiveAudit) => detectMissingArchiveSegment({ at: 'now', audit })

describe('an archive', () => {
  it('with what is needed is recovered from, and nothing is odd about it', async () => {
    for (const name of NAMES) store(name)
    expect(await audit()).toMatchObject({ verdict: 'recoverable', oddities: [] })
  })

  it.each<[string, () => void, RegExp]>([
    ['empty', () => mkdirSync(wal), /^no WAL segment is in the archive$/],
    [
      'with all in a folder of it',
      () => {
        for (const name of NAMES) store(name, SIZE, path.join(wal, '2026'))
      },
      /^folders, into which recovery does not look: 2026$/,
    ],
    [
      'with names in lower case',
      () => {
        for (const name of NAMES) store(name.toLowerCase())
      },
      /^names in lower case, which recovery does not ask for: 00000001000000000000000a and 3 more$/,
    ],
    ['with a history in lower case', () => store('0000000a.history'), /^names in lower case, .*: 0000000a.history$/],
    [
      'compressed in a way that is not known',
      () => {
        for (const name of NAMES) store(`${name}.lz4`)
      },
      /^segments with an ending that is not known, .*: 00000001000000000000000A.lz4 and 3 more$/,
    ],
    [
      'with a digit too few',
      () => {
        for (const name of NAMES) store(name.slice(1))
      },
      /^names nearly of WAL segments, which recovery does not ask for: 0000001000000000000000A and 3 more$/,
    ],
    [
      'with a digit too many',
      () => {
        for (const name of NAMES) store(`${name}0`)
      },
      /^names nearly of WAL segments, .* and 3 more$/,
    ],
    [
      'of a server with larger segments',
      () => {
        for (const name of NAMES) store(name, 64 * SIZE)
      },
      /^segments of 64 MiB, as of a server with another wal_segment_size, or cut off: 00000001000000000000000A and 3 more$/,
    ],
    [
      'with a number that no segment of its size has',
      () => store('000000010000000000001000'),
      /^names that no WAL segment of 1 MiB has, as of a server with another wal_segment_size: 0{7}1.*1000$/,
    ],
    [
      'with nothing but links out of it',
      () => {
        mkdirSync(wal)
        for (const name of NAMES) linkOut(name)
      },
      /^symbolic links out of the archive or to nowhere, .*: 00000001000000000000000A and 3 more$/,
    ],
    [
      'with links that lead nowhere',
      () => {
        mkdirSync(wal)
        for (const name of NAMES) symlinkSync('nowhere', path.join(wal, name))
      },
      /^symbolic links out of the archive or to nowhere, .* and 3 more$/,
    ],
    [
      'of pipes',
      () => {
        mkdirSync(wal)
        execFileSync('sh', ['-c', 'mkfifo "$@"', 'sh', ...NAMES.map(name => path.join(wal, name))])
      },
      /^neither files nor folders: 00000001000000000000000A and 3 more$/,
    ],
    ['of something else', () => store('README'), /^files that are none of PostgreSQL's: README$/],
  ])('%s is not recovered from, and says why not', async (_, make, oddity) => {
    make()
    const result = await audit()
    expect(result).toMatchObject({ verdict: 'no-consistent-point', recoverableTo: undefined })
    expect(reportOf(result).oddities).toContainEqual(expect.stringMatching(oddity))
    expect(reportOf(result).findings).not.toEqual([])
  })

  it('that holds nothing is not taken for good while the server lives, be it that all is still to come', async () => {
    mkdirSync(wal)
    expect(await audit([archive()], { currentLsn: lsnIn(LAST), lastArchived: undefined })).toMatchObject({
      verdict: 'delayed',
      recoverableTo: undefined,
      oddities: ['no WAL segment is in the archive'],
    })
  })

  it('that has what is needed may have other things besides: they are stated, and no alarm', async () => {
    for (const name of NAMES) store(name)
    for (const name of ['README', '.000000010000000000000014', '000000010000000000000014.tmp']) store(name)
    mkdirSync(path.join(wal, 'lost+found'))
    mkdirSync(path.join(wal, 'backups'))
    const result = await audit()
    expect(result.verdict).toBe('recoverable')
    expect(reportOf(result)).toMatchObject({
      findings: [],
      oddities: [
        'folders, into which recovery does not look: backups',
        expect.stringMatching(/^segments with an ending that is not known, .*: 000000010000000000000014.tmp$/),
        "files that are none of PostgreSQL's: README",
      ],
    })
  })

  it('has a link within it for what it leads to, and one out of it for nothing', async () => {
    for (const name of NAMES.slice(0, 2)) store(name)
    store('content', SIZE, path.join(wal, 'folder'))
    symlinkSync('folder/content', path.join(wal, NAMES[2] ?? ''))
    linkOut(NAMES[3] ?? '')
    const result = await audit()
    expect([12, 13].map(number => statusOf(result, segment(number)))).toEqual(['found', 'lost'])
    expect(result.verdict).toBe('blocked')
  })

  it('that comes first decides of a segment that is cut off there and whole in another', async () => {
    for (const name of NAMES) store(name)
    const second = new WalArchive(new EmbeddedVolume('second', path.join(base, 'second'), undefined), SIZE)
    store(NAMES[2] ?? '', 7)
    store(NAMES[2] ?? '', SIZE, path.join(base, 'second', 'wal'))
    expect(statusOf(await audit([archive(), second]), segment(12))).toBe('damaged')
    expect(statusOf(await audit([second, archive()]), segment(12))).toBe('found')
  })

  it('that is not there, or is a file, is no archive, and it is said what to do', async () => {
    await expect(audit()).rejects.toMatchObject({
      name: 'CannotRun',
      message: `there is no folder ${wal}: correct the path, or mount what should be there`,
    })
    writeFileSync(wal, '')
    await expect(audit()).rejects.toMatchObject({ name: 'CannotRun' })
  })

  it('that cannot be read is no archive', async () => {
    for (const name of NAMES) store(name)
    chmodSync(base, 0o755)
    chmodSync(wal, 0o700)
    if (process.getuid?.() === 0) process.seteuid?.(NOBODY)
    else chmodSync(wal, 0)
    await expect(audit()).rejects.toMatchObject({
      name: 'CannotRun',
      message: expect.stringMatching(/ cannot be listed \(EACCES: .*\): let the user who looks read and enter it$/),
    })
    if (process.getuid?.() !== 0) chmodSync(wal, 0o700)
  })

  it('with a folder that nobody else may enter is listed all the same', async () => {
    for (const name of NAMES) store(name)
    chmodSync(base, 0o755)
    mkdirSync(path.join(wal, 'lost+found'), { mode: 0 })
    if (process.getuid?.() === 0) process.seteuid?.(NOBODY)
    expect(await audit()).toMatchObject({ verdict: 'recoverable', oddities: [] })
  })

  it('of another segment size than the server is not that of the server', () => {
    expect(() => archive().assertTakes({ segmentSizeBytes: 16 * SIZE })).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: `the server's WAL segments have 16777216 bytes, those of the archive ${wal} 1048576: name the archive of this server`,
      }),
    )
    archive().assertTakes({ segmentSizeBytes: SIZE })
  })
})
