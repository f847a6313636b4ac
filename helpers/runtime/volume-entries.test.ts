import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listingScript, NO_FOLDER_STATUS, parseListed, UNREADABLE_STATUS } from './container-listing.ts'
import { EmbeddedVolume } from './embedded-volume.ts'
import { byPath, type VolumeEntry } from './volume.ts'

/** A container's programs; busybox where this machine has it. */
const SHELLS = [['sh'], ['busybox', 'sh']].filter(
  ([program = '']) => spawnSync(program, ['-c', 'true']).error === undefined,
)
/** Nobody in particular, whom modes hold back as they do not hold back root. */
const NOBODY = { uid: 65_534, gid: 65_534 }

let base: string
let archive: string

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'volume-entries-test-'))
  chmodSync(base, 0o755)
  archive = path.join(base, "it's an archive")
  mkdirSync(archive)
})
afterEach(() => rmSync(base, { recursive: true }))

const file = (name: string, content = '') => writeFileSync(path.join(archive, name), content)
const link = (target: string, name: string) => symlinkSync(target, path.join(archive, name))
const inContainer = ([program = '', ...shell]: readonly string[], folder = archive) =>
  // Busybox has its own of all programs, and takes them before any other.
  execFileSync(program, [...shell, '-c', listingScript(folder)], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line !== '')
    .map(line => parseListed(line))
    .sort((a, b) => (a && b ? byPath(a, b) : 0))

const onThisMachine = () => new EmbeddedVolume('volume', base, undefined).entries(path.basename(archive))

async function expectEntries(expected: readonly Omit<VolumeEntry, 'version'>[]): Promise<void> {
  const wanted = expected.map(one => ({
    ...one,
    version: one.kind === 'file' ? expect.stringMatching(/^[\d.]+$/) : '',
  }))
  expect(await onThisMachine()).toEqual(wanted)
  for (const shell of SHELLS) expect(inContainer(shell), shell.join(' ')).toEqual(wanted)
}

describe('what lies right in a folder', () => {
  it('is nothing in an empty one', () => expectEntries([]))

  it('is files with their sizes, hidden ones and odd names too, and folders, into which nobody looks', async () => {
    file('a file', 'four')
    file('.hidden')
    file("it's", 'x')
    file('-n', 'xy')
    file('*')
    mkdirSync(path.join(archive, 'folder'))
    writeFileSync(path.join(archive, 'folder', 'inside'), '')
    await expectEntries([
      { path: '*', sizeBytes: 0, kind: 'file' },
      { path: '-n', sizeBytes: 2, kind: 'file' },
      { path: '.hidden', sizeBytes: 0, kind: 'file' },
      { path: 'a file', sizeBytes: 4, kind: 'file' },
      { path: 'folder', sizeBytes: 0, kind: 'folder' },
      { path: "it's", sizeBytes: 1, kind: 'file' },
    ])
  })

  it('is behind a symbolic link only what lies in the folder too', async () => {
    mkdirSync(path.join(archive, 'folder'))
    writeFileSync(path.join(archive, 'folder', 'inside'), 'four')
    writeFileSync(path.join(base, 'outside'), 'four')
    mkdirSync(`${archive} too`)
    writeFileSync(path.join(`${archive} too`, 'beside'), 'four')
    link('folder/inside', 'to-file')
    link('to-file', 'to-link')
    link('folder', 'to-folder')
    link('../outside', 'out')
    link(path.join(base, 'outside'), 'out-absolute')
    link(path.join(`${archive} too`, 'beside'), 'out-beside')
    link('.', 'out-itself')
    link('nowhere', 'dangling')
    link('round-2', 'round-1')
    link('round-1', 'round-2')
    await expectEntries([
      { path: 'dangling', sizeBytes: 0, kind: 'link' },
      { path: 'folder', sizeBytes: 0, kind: 'folder' },
      { path: 'out', sizeBytes: 0, kind: 'link' },
      { path: 'out-absolute', sizeBytes: 0, kind: 'link' },
      { path: 'out-beside', sizeBytes: 0, kind: 'link' },
      { path: 'out-itself', sizeBytes: 0, kind: 'link' },
      { path: 'round-1', sizeBytes: 0, kind: 'link' },
      { path: 'round-2', sizeBytes: 0, kind: 'link' },
      { path: 'to-file', sizeBytes: 4, kind: 'file' },
      { path: 'to-folder', sizeBytes: 0, kind: 'folder' },
      { path: 'to-link', sizeBytes: 4, kind: 'file' },
    ])
  })

  it('is the same where the folder itself is behind a link', async () => {
    file('a')
    symlinkSync(archive, path.join(base, 'mounted'))
    archive = path.join(base, 'mounted')
    link('a', 'b')
    await expectEntries([
      { path: 'a', sizeBytes: 0, kind: 'file' },
      { path: 'b', sizeBytes: 0, kind: 'file' },
    ])
  })

  it('is a pipe neither file nor folder', async () => {
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', path.join(archive, 'pipe')])
    await expectEntries([{ path: 'pipe', sizeBytes: 0, kind: 'special' }])
  })

  it('has another version once it was written to, or two have changed their names, and the same one otherwise', async () => {
    file('a', 'one')
    file('b', 'two')
    const looks = [onThisMachine, ...SHELLS.map(shell => async () => inContainer(shell))]
    const versions = async () =>
      (await Promise.all(looks.map(look => look()))).map(entries => entries.map(entry => entry?.version))
    const first = await versions()
    expect(await versions()).toEqual(first)
    for (const [from, to] of [
      ['a', 'c'],
      ['b', 'a'],
      ['c', 'b'],
    ] as const)
      renameSync(path.join(archive, from), path.join(archive, to))
    const swapped = await versions()
    for (const [index, [a, b]] of first.entries()) {
      expect(swapped[index]?.[0]).not.toBe(a)
      expect(swapped[index]?.[1]).not.toBe(b)
    }
    utimesSync(path.join(archive, 'a'), 1, 1)
    for (const [index, [a, b]] of (await versions()).entries()) {
      expect(a).not.toBe(swapped[index]?.[0])
      expect(b).toBe(swapped[index]?.[1])
    }
  })

  it('cannot be told in a container of a name with a line break', () => {
    file('x\nlink 0 y')
    for (const shell of SHELLS) expect(inContainer(shell)).toContain(undefined)
  })

  it('cannot be told where there is no folder', async () => {
    file('file')
    const volume = new EmbeddedVolume('volume', base, undefined)
    for (const folder of ['nowhere', path.join(path.basename(archive), 'file')]) {
      await expect(volume.entries(folder)).rejects.toMatchObject({
        name: 'CannotRun',
        message: `there is no folder ${path.join(base, folder)}: correct the path, or mount what should be there`,
      })
      for (const [program = '', ...shell] of SHELLS)
        expect(spawnSync(program, [...shell, '-c', listingScript(path.join(base, folder))]).status).toBe(
          NO_FOLDER_STATUS,
        )
    }
  })

  it.each([0o000, 0o444, 0o111])('cannot be told of a folder that may not be read, or not entered: %#', async mode => {
    file('file')
    chmodSync(archive, mode)
    const user = process.getuid?.() === 0 ? NOBODY : {}
    for (const [program = '', ...shell] of SHELLS)
      expect(spawnSync(program, [...shell, '-c', listingScript(archive)], user).status).toBe(UNREADABLE_STATUS)
    const volume = new EmbeddedVolume('volume', base, undefined)
    if (process.getuid?.() === 0) process.seteuid?.(NOBODY.uid)
    try {
      await expect(volume.entries(path.basename(archive))).rejects.toMatchObject({
        name: 'CannotRun',
        message: expect.stringMatching(
          /^the folder .* cannot be listed \(EACCES: .*\): let the user who looks read and enter it$/,
        ),
      })
    } finally {
      if (process.getuid?.() === 0) process.seteuid?.(0)
      chmodSync(archive, 0o755)
    }
  })
})
