import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { identify, type ProcessIdentity, startOf } from './identity.ts'
import { own, RUN_DIRECTORY_PREFIX, RUN_ID_VARIABLE } from './registry.ts'
import { sweepDeadRuns, sweepRun } from './sweep.ts'

let folder: string
const dead: ProcessIdentity = { ...identify(process.pid), start: '1' }

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sweep-test-'))
  vi.stubEnv('TMPDIR', folder)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function plant(id: string, owner: ProcessIdentity | undefined, parent = folder): string {
  const directory = path.join(parent, `${RUN_DIRECTORY_PREFIX}${id}`)
  mkdirSync(path.join(directory, 'archive'), { recursive: true, mode: 0o711 })
  writeFileSync(path.join(directory, 'archive/000000010000000000000001'), '')
  if (owner) own({ directory }, { kind: 'owner', process: owner })
  return directory
}

describe('a sweep of dead runs', () => {
  test('removes those whose owner is proven dead, of this boot or an earlier one', async () => {
    plant('dead', dead)
    plant('rebooted', { ...identify(process.pid), bootId: 'an earlier one' })
    expect((await sweepDeadRuns()).map(({ runId }) => runId).toSorted()).toEqual(['dead', 'rebooted'])
    expect(await sweepDeadRuns()).toEqual([])
  })

  test.each<[string, () => string]>([
    ['of an owner that lives', () => plant('alive', identify(process.pid))],
    ['of another machine', () => plant('elsewhere', { ...dead, host: 'elsewhere' })],
    ['of another pid namespace', () => plant('container', { ...dead, pidNamespace: 'pid:[1]' })],
    ['that says nothing of its owner', () => plant('unowned', undefined)],
    [
      'whose data is kept',
      () => {
        const directory = plant('kept', dead)
        own({ directory }, { kind: 'kept' })
        return directory
      },
    ],
    [
      'that others may write to',
      () => {
        const directory = plant('writable', dead)
        chmodSync(directory, 0o777)
        return directory
      },
    ],
    [
      'behind a link',
      () => {
        const directory = plant('behind', dead, path.join(folder, 'elsewhere'))
        symlinkSync(directory, path.join(folder, `${RUN_DIRECTORY_PREFIX}link`))
        return directory
      },
    ],
  ])('leaves alone a run %s', async (_, make) => {
    const directory = make()
    expect(await sweepDeadRuns()).toEqual([])
    expect(existsSync(path.join(directory, 'archive'))).toBe(true)
  })
})

describe('a sweep of one run', () => {
  test('ends its processes, keeps the folder where the data is kept, and finds nothing the second time', async () => {
    const directory = plant('one', dead)
    own({ directory }, { kind: 'kept' })
    const child = spawn('sleep', ['60'], { env: { PATH: process.env.PATH, [RUN_ID_VARIABLE]: 'one' }, detached: true })
    const ended = once(child, 'exit')
    own({ directory }, { kind: 'process', process: identify(child.pid ?? 0), what: 'primary' })
    expect(await sweepRun(directory, { workersToo: false })).toMatchObject({ runId: 'one', processes: 1 })
    await ended
    expect(startOf(child.pid ?? 0)).toBeUndefined()
    expect(existsSync(path.join(directory, 'archive'))).toBe(true)
    expect(await sweepRun(directory, { workersToo: false })).toMatchObject({ processes: 0 })
  })

  test('is done where another sweep was faster', async () => {
    const directory = plant('two', dead)
    await Promise.all([sweepRun(directory, { workersToo: true }), sweepRun(directory, { workersToo: true })])
    expect(existsSync(directory)).toBe(false)
    expect(await sweepRun(directory, { workersToo: true })).toMatchObject({ processes: 0 })
  })
})
