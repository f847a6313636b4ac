import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseSpace, ServiceArchive, serviceSpace } from './service-folder.ts'

const NAME = '000000010000000000000003'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'service-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** This machine in the part of the container. */
const here = (command: readonly string[]) => [...command]

test('an archive in a service is listed and read by what every container has', async () => {
  const content = Buffer.from([0, 255, 10, 13, 10, 10])
  writeFileSync(path.join(folder, NAME), content)
  const archive = new ServiceArchive(folder, here, content.length)
  expect((await archive.list()).newest(1)?.name).toBe(NAME)
  expect(await archive.find(NAME)).toEqual(content)
  expect(await archive.read(NAME, Buffer.alloc(2))).toEqual(content.subarray(0, 2))
  await expect(archive.read('gone')).rejects.toMatchObject({ name: 'CannotRun' })
  await expect(new ServiceArchive(`${folder}/gone`, here, 1).list()).rejects.toThrow(/there is no folder/)
})

test('the space of a folder in a service is asked for', async () => {
  const space = await serviceSpace(folder, here)
  if ('unknown' in space) throw new Error(space.unknown)
  expect(space.totalBytes).toBeGreaterThan(space.freeBytes - 1)
  expect(await serviceSpace(`${folder}/gone`, here)).toMatchObject({ unknown: expect.stringContaining('gone') })
})

test.each([
  ['100 1000 4096 ext2/ext3\n', { freeBytes: 409_600, totalBytes: 4_096_000, volatile: undefined }],
  ['1 2 4096 tmpfs\n', { freeBytes: 4096, totalBytes: 8192, volatile: 'tmpfs' }],
  ['1 2 4096 overlayfs\n', { freeBytes: 4096, totalBytes: 8192, volatile: 'overlayfs' }],
  ['nothing', undefined],
])('%j', (output, space) => {
  expect(parseSpace(output)).toEqual(space)
})
