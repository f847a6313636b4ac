import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { identify, startOf, stateOf } from './identity.ts'

const children: ChildProcess[] = []

function start(program: string, args: string[]): { child: ChildProcess; pid: number } {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  children.push(child)
  if (child.pid === undefined) throw new Error(`${program} was not started`)
  return { child, pid: child.pid }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

afterEach(async () => {
  await Promise.all(children.splice(0).map(end))
})

describe('the identity of a process', () => {
  test('of one that runs is alive, and of one that has ended dead', async () => {
    const { child, pid } = start('sleep', ['60'])
    const identity = identify(pid)
    expect(identity).toMatchObject({ pid, start: expect.stringMatching(/./) })
    expect(stateOf(identity)).toBe('alive')
    await end(child)
    expect(stateOf(identity)).toBe('dead')
    expect(startOf(pid)).toBeUndefined()
  })

  test('is the same each time, and survives being written down', () => {
    expect(identify(process.pid)).toEqual(identify(process.pid))
    expect(stateOf(JSON.parse(JSON.stringify(identify(process.pid))))).toBe('alive')
  })

  test('is not that of another process with the same pid', () => {
    expect(stateOf({ ...identify(process.pid), start: '1' })).toBe('dead')
  })

  test('of what was not there when it was identified is dead', () => {
    expect(stateOf({ ...identify(process.pid), start: '' })).toBe('dead')
  })

  test('of an earlier boot of this machine is dead, although its pid is in use', () => {
    expect(stateOf({ ...identify(process.pid), bootId: 'an earlier one' })).toBe('dead')
  })

  test('of another machine or pid namespace is of no one here, although the pid is in use', () => {
    const own = identify(process.pid)
    expect(stateOf({ ...own, host: `not-${own.host}` })).toBe('elsewhere')
    expect(stateOf({ ...own, host: `not-${own.host}`, bootId: 'another' })).toBe('elsewhere')
    expect(stateOf({ ...own, pidNamespace: 'pid:[1]' })).toBe('elsewhere')
  })
})

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('a process that has ended but was not collected is none', async () => {
    // The shell gives way to a program that never collects the shell's child, which ends when its input does.
    const { child, pid } = start('sh', ['-c', 'exec 3<&0; (read line <&3) & echo $!; exec sleep 60 3<&-'])
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer]
    const zombie = Number(line.toString())
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n'), { interval: 5 })
    child.stdin?.end()
    await vi.waitFor(() => expect(readFileSync(`/proc/${zombie}/stat`, 'utf8')).toContain(') Z '), { interval: 5 })
    expect(startOf(zombie)).toBeUndefined()
    expect(stateOf(identify(zombie))).toBe('dead')
  })

  test("a program's name with spaces and parentheses in it does not shift the fields", () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'identity-test-'))
    try {
      const program = path.join(folder, 'a) Z (b 1 2')
      copyFileSync('/bin/sleep', program)
      const { pid } = start(program, ['60'])
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      expect(startOf(pid)).toBe(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19])
      expect(Number(startOf(pid))).toBeGreaterThanOrEqual(Number(startOf(process.pid)))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
