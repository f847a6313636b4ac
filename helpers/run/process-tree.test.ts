import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { descendantsOf, type ListedProcess, listProcesses } from './process-tree.ts'

/** As a list may come out that is made while processes come and go: circles, dead parents, pids given anew. */
const list = fc
  .array(fc.record({ pid: fc.nat(12), parent: fc.nat(12), start: fc.nat(6) }), { maxLength: 13 })
  .map(rows => new Map<number, ListedProcess>(rows.map(({ pid, ...listed }) => [pid, listed])))

test('descendants are those whose parents lead to a root, each no younger than its child', () => {
  fc.assert(
    fc.property(list, fc.uniqueArray(fc.nat(12)), (listed, roots) => {
      const leadsToRoot = (pid: number, steps = listed.size): boolean => {
        const { parent, start } = listed.get(pid) as ListedProcess
        const above = listed.get(parent)
        if (!above || above.start > start || steps === 0) return false
        return roots.includes(parent) || leadsToRoot(parent, steps - 1)
      }
      const expected = [...listed.keys()].filter(pid => !roots.includes(pid) && leadsToRoot(pid))
      expect(descendantsOf(roots, listed).toSorted()).toEqual(expected.toSorted())
    }),
  )
})

describe.runIf(process.platform === 'linux')('the list', () => {
  test('holds this process, its parent and its child, whatever the child is called', async () => {
    const child = spawn('sh', ['-c', 'echo ") S 1" > /proc/self/comm; echo; read line'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    const listed = listProcesses()
    child.stdin.end()
    await once(child, 'close')
    expect(listed.get(process.pid)?.parent).toBe(process.ppid)
    expect(listed.get(child.pid ?? 0)?.parent).toBe(process.pid)
    expect(descendantsOf([process.pid], listed)).toContain(child.pid)
  })

  // Somebody whose parent has just ended belongs to init: he must not bring along all that init has.
  test('makes nobody a descendant of the processes that orphans leave', () => {
    const others = listProcesses()
    const maker = spawn('sh', ['-c', 'while :; do sh -c "sleep 0.02 & sleep 0.005" & sleep 0.005; done'], {
      detached: true,
      stdio: 'ignore',
    })
    const group = maker.pid ?? 0
    try {
      const found = Array.from({ length: 300 }, () => descendantsOf([group], listProcesses())).flat()
      expect(found).not.toEqual([])
      expect(found.filter(pid => others.has(pid))).toEqual([])
    } finally {
      process.kill(-group, 'SIGKILL')
    }
  })
})
