import { expect, test } from 'vitest'
import { CommandArchive, parseNames } from './command-archive.ts'

const SIZE = 16 * 2 ** 20
const NAME = '000000010000000000000003'

test.each([
  ['names alone', `${NAME}\n00000002.history\n`, [SIZE, SIZE]],
  ['with sizes', `${NAME} 1000\n${NAME}.gz  77 \n`, [1000, 77]],
  ['compressed, without a size', `${NAME}.zst\n`, [1]],
  ['with the way to them', `s3://bucket/wal/${NAME} 1000\n  wal/00000002.history 42\n`, [1000, 42]],
  ['of nothing', '\n\n', []],
])('a listing %s', (_, output, sizes) => {
  const entries = parseNames(output, SIZE)
  expect(entries.map(({ sizeBytes }) => sizeBytes)).toEqual(sizes)
  expect(entries.every(({ path, kind }) => /^[0-9A-F]+(\.\w+)?$/.test(path) && kind === 'file')).toBe(true)
})

test('what a file ends with is not cut off', async () => {
  const archive = new CommandArchive({ list: `echo ${NAME}`, fetch: "printf '%%s\\n\\n' %f" }, SIZE)
  expect((await archive.read(NAME)).toString()).toBe(`${NAME}\n\n`)
  expect((await archive.read(NAME, Buffer.alloc(4))).toString()).toBe('0000')
})

test('a name is one word of the shell, whatever is in it', async () => {
  const archive = new CommandArchive({ list: 'true', fetch: 'printf %s %f' }, SIZE)
  expect((await archive.read("a' $(id) b")).toString()).toBe("a' $(id) b")
})

test('a command that fails says why, without a secret', async () => {
  const archive = new CommandArchive({ list: 'echo "no bucket, token=hunter2" >&2; exit 3', fetch: undefined }, SIZE)
  const error: Error = await archive.list().then(
    () => new Error('it was listed'),
    reason => reason,
  )
  expect(error).toMatchObject({ name: 'CannotRun' })
  expect(error.message).toContain('PREFLIGHT_ARCHIVE_LIST_COMMAND ended with 3: no bucket')
  expect(error.message).not.toContain('hunter2')
})

test('without a command that fetches, there are names alone', async () => {
  const archive = new CommandArchive({ list: `echo ${NAME}`, fetch: undefined }, SIZE)
  expect(archive.reach).toBe('names')
  expect(await archive.find(NAME)).toBeUndefined()
  expect((await archive.list()).newest(1)?.name).toBe(NAME)
})
