import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startOf } from '../run/identity.ts'
import { waitFor } from '../wait.ts'
import { walCommand, walFolder } from './wal-source.ts'

const NAME = '000000010000000000000002'

let root: string
let wal: string
let scratch: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'wal-source-'))
  wal = path.join(root, 'wal')
  scratch = path.join(root, 'scratch')
  mkdirSync(wal)
  mkdirSync(scratch)
})
afterEach(() => rmSync(root, { recursive: true }))

const put = (name: string, content: string | Buffer) => writeFileSync(path.join(wal, name), content)

const untilGone = (pid: number) =>
  waitFor(`the process ${pid} to be gone`, 'processGone', () => (startOf(pid) === undefined ? true : undefined))

describe('a folder of WAL', () => {
  test('gives its files unpacked, by their plain names', async () => {
    put(NAME, 'plain')
    put('000000010000000000000003.gz', gzipSync('gzip'))
    put('000000010000000000000004', 'zstd')
    await execa('zstd', ['-q', '--rm', path.join(wal, '000000010000000000000004')])
    put('00000002.history', '1\t0/3000000\tno reason\n')
    put('junk', 'x')
    put('.000000010000000000000005.tmp', 'x')
    const source = await walFolder(wal)
    const names = await source.names?.()
    expect(names).toEqual([
      '000000010000000000000002',
      '000000010000000000000003',
      '000000010000000000000004',
      '00000002.history',
    ])
    const contents = await Promise.all((names ?? []).map(async name => String(await source.fetch(name))))
    expect(contents).toEqual(['plain', 'gzip', 'zstd', '1\t0/3000000\tno reason\n'])
    expect(await source.fetch('000000010000000000000009')).toBeUndefined()
  })

  test("is read as Barman lays it out: in folders, and packed under PostgreSQL's own names", async () => {
    mkdirSync(path.join(wal, '0000000100000000'))
    put(`0000000100000000/${NAME}`, gzipSync('packed'))
    const source = await walFolder(wal)
    expect(await source.names?.()).toEqual([NAME])
    expect(String(await source.fetch(NAME))).toBe('packed')
  })

  test('gives the plain file where there is a packed one beside it', async () => {
    put(`${NAME}.gz`, gzipSync('packed'))
    put(NAME, 'plain')
    expect(String(await (await walFolder(wal)).fetch(NAME))).toBe('plain')
  })

  test('gives a packed file that is cut off as an empty one, which the audit names', async () => {
    put(`${NAME}.gz`, gzipSync('packed').subarray(0, 12))
    expect((await (await walFolder(wal)).fetch(NAME))?.length).toBe(0)
  })

  test.each([
    ['that is not there', () => path.join(wal, 'nowhere'), /there is no folder/],
    [
      'that is a file',
      () => {
        put('a', '')
        return path.join(wal, 'a')
      },
      /there is no folder/,
    ],
    [
      'packed with lz4',
      () => {
        put(`${NAME}.lz4`, '')
        return wal
      },
      /packed with lz4.*give the restore_command/,
    ],
  ])('%s is refused', async (_, prepare, message) => {
    await expect(walFolder(prepare())).rejects.toMatchObject({
      name: 'CannotRun',
      message: expect.stringMatching(message),
    })
  })
})

describe('a restore_command', () => {
  const command = (text: string, secrets: string[] = []) =>
    walCommand(text, { scratch, restartPoint: '000000010000000000000001', secrets })

  test('fetches one file a time, and leaves nothing of it', async () => {
    put(NAME, 'wal')
    const source = command(`cp ${wal}/%f "%p"`)
    expect(source.names).toBeUndefined()
    expect(String(await source.fetch(NAME))).toBe('wal')
    expect(await source.fetch('000000010000000000000003')).toBeUndefined()
    expect(readdirSync(scratch)).toEqual([])
  })

  test('is filled in as PostgreSQL does it, and gets the environment', async () => {
    process.env.WAL_SOURCE_TEST = 'from the environment'
    try {
      const source = command('echo "%f %r 100%% $WAL_SOURCE_TEST" > %p')
      expect(String(await source.fetch(NAME))).toBe(`${NAME} 000000010000000000000001 100% from the environment\n`)
    } finally {
      delete process.env.WAL_SOURCE_TEST
    }
  })

  test.each(['exit 1', 'exit 125', 'true'])(
    'that ends with `%s` and leaves no file says that there is none',
    async end => {
      expect(await command(`: %f %p; ${end}`).fetch(NAME)).toBeUndefined()
    },
  )

  test('that leaves a file and fails has fetched none', async () => {
    expect(await command('echo half > %p; : %f; exit 1').fetch(NAME)).toBeUndefined()
  })

  test.each([
    ['126', 'exit 126', /ended with 126/],
    ['127', 'no-such-program', /ended with 127 at .*not found/],
    ['a signal', 'kill -9 $$', /ended with SIGKILL.*it said nothing/],
    ['the status of a signal', 'exit 137', /ended with 137/],
  ])('that ends with %s fails', async (_, end, message) => {
    const fetched = command(`: %f %p; ${end}`).fetch(NAME)
    await expect(fetched).rejects.toMatchObject({
      kind: 'restore-command-failed',
      message: expect.stringMatching(message),
    })
  })

  test('that hangs is ended at the deadline, with what it has started, and the file is named', async () => {
    const pids = path.join(root, 'pids')
    const source = walCommand(`: %f %p; sleep 7777 & echo $! > ${pids}; echo stuck >&2; wait`, {
      scratch,
      restartPoint: NAME,
      deadlineMs: 300,
    })
    await expect(source.fetch(NAME)).rejects.toMatchObject({
      kind: 'restore-command-hangs',
      message: expect.stringMatching(new RegExp(`has not fetched ${NAME} in 0\\.3 s, and was ended: stuck;`)),
    })
    await untilGone(Number(readFileSync(pids, 'utf8')))
  })

  test('that is stopped is ended with what it has started, and fetches nothing any more', async () => {
    const pids = path.join(root, 'pids')
    const source = command(`: %f %p; sleep 7777 & echo $! > ${pids}.new; mv ${pids}.new ${pids}; wait`)
    const fetched = source.fetch(NAME).catch(error => error)
    await waitFor('the command to run', 'processGone', () => existsSync(pids) || undefined)
    await source.stop?.()
    expect(await fetched).toMatchObject({ message: expect.stringMatching(/SIGKILL/) })
    await untilGone(Number(readFileSync(pids, 'utf8')))
    await expect(source.fetch(NAME)).rejects.toThrow(/had been stopped/)
  })

  test('is never shown with its secrets', async () => {
    const source = command(': %f %p; echo "key grass and PASSWORD=weeds" >&2; PGPASSWORD=tulip exit 127', ['grass'])
    const error = await source.fetch(NAME).catch(reason => reason)
    for (const secret of ['grass', 'weeds', 'tulip']) expect(`${source.where} ${error.message}`).not.toContain(secret)
  })

  test.each(['cp x %p', 'cp %f x', 'cp %%f %p'])('%s is refused', text => {
    expect(() => command(text)).toThrow(/does not mention %[fp]/)
  })
})
