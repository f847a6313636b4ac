import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startOf } from './identity.ts'
import { endMarked, endProcesses, findMarked, freeSharedMemory, type Mark } from './processes.ts'

const hasIpcmk = spawnSync('ipcmk', ['--version']).status === 0

let mark: Mark
let children: ChildProcess[]

beforeEach(() => {
  mark = {
    variable: 'PROCESSES_TEST',
    value: randomBytes(8).toString('hex'),
    folder: mkdtempSync(path.join(tmpdir(), 'processes-test-')),
  }
  children = []
})

afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await endMarked(mark)
  rmSync(mark.folder, { recursive: true })
})

/** Runs a shell script whose last line printed is a pid. */
async function start(script: string, options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<number> {
  const child = spawn('sh', ['-c', script], { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  const [printed] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(printed.toString().trim())
}

function environment(value = mark.value): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, [mark.variable]: value }
}

describe.runIf(process.platform === 'linux')('the processes of a run', () => {
  test('are found by what they inherited, in a session of their own too', async () => {
    const pid = await start("setsid sh -c 'echo $$; exec sleep 60' & wait", { env: environment() })
    expect(findMarked(mark)).toContain(pid)
    expect(await endMarked(mark)).toBe(2)
    expect(startOf(pid)).toBeUndefined()
    expect(findMarked(mark)).toEqual([])
  })

  test('are found by descent when they have given up their environment', async () => {
    const pid = await start("env -i sh -c 'echo $$; exec /bin/sleep 60' & wait", { env: environment() })
    expect(findMarked(mark)).toContain(pid)
  })

  test('are not those that carry another value, or more than the value', async () => {
    await start('echo $$; exec sleep 60', { env: environment(`${mark.value}0`) })
    expect(findMarked(mark)).toEqual([])
  })

  test("are PostgreSQL's that work in their folder, and nobody else there", async () => {
    const postgres = path.join(mark.folder, 'postgres')
    copyFileSync('/bin/sleep', postgres)
    const server = await start(`echo $$; exec ${postgres} 60`, { cwd: mark.folder, env: { PATH: process.env.PATH } })
    await start('echo $$; exec sleep 60', { cwd: mark.folder, env: { PATH: process.env.PATH } })
    // Until then it is the shell that printed its pid.
    await vi.waitFor(() => expect(readFileSync(`/proc/${server}/comm`, 'utf8')).toBe('postgres\n'), 5_000)
    expect(findMarked(mark)).toEqual([server])
  })

  test('end also when they are stopped, or deaf to all that can be ignored', async () => {
    const deaf = await start("trap '' TERM INT QUIT HUP; echo $$; while :; do sleep 60; done", { env: environment() })
    const stopped = await start('echo $$; exec sleep 60', { env: environment() })
    process.kill(stopped, 'SIGSTOP')
    expect(await endMarked(mark)).toBeGreaterThanOrEqual(2)
    expect([startOf(deaf), startOf(stopped)]).toEqual([undefined, undefined])
  })

  test('end also when they begin others while they are ended', async () => {
    const pid = await start('echo $$; while :; do sleep 60 & setsid sh -c "sleep 60 & sleep 60" & sleep 0.001; done', {
      env: environment(),
    })
    await endMarked(mark)
    expect(startOf(pid)).toBeUndefined()
    expect(findMarked(mark)).toEqual([])
  })

  test('that are gone already are none', async () => {
    const pid = await start('echo $$')
    await once(children[0] as ChildProcess, 'close')
    expect(await endProcesses([pid])).toBe(0)
  })

  test.runIf(hasIpcmk)('leave no shared memory, and nobody else loses any', () => {
    const { stdout, pid } = spawnSync('ipcmk', ['-M', '64'], { encoding: 'utf8' })
    const id = /\d+/.exec(stdout)?.[0] ?? ''
    const isThere = () =>
      readFileSync('/proc/sysvipc/shm', 'utf8')
        .split('\n')
        .some(line => line.trim().split(/\s+/)[1] === id)
    const freeAsOf = (maker: number) => {
      const lines = [maker, mark.folder, '1', '5432', '', '127.0.0.1', `  123  ${id}`, 'ready']
      writeFileSync(path.join(mark.folder, 'postmaster.pid'), lines.join('\n'))
      freeSharedMemory(mark.folder)
    }
    try {
      expect(isThere()).toBe(true)
      // As after a boot, when ids are given anew.
      freeAsOf(pid + 1)
      freeSharedMemory(path.join(mark.folder, 'none'))
      expect(isThere()).toBe(true)
      freeAsOf(pid)
      expect(isThere()).toBe(false)
    } finally {
      spawnSync('ipcrm', ['-m', id])
    }
  })
})
