import { spawn } from 'node:child_process'
import { execa } from 'execa'
import { expect, test, vi } from 'vitest'
import { printTitlesOfDescendants, titlesOfDescendants } from './process-titles.ts'

const print = async (pid: string) => (await execa('sh', ['-c', printTitlesOfDescendants(pid)])).stdout.split('\n')

test.runIf(process.platform === 'linux')(
  'children and theirs are told, by the kernel and by a shell alike',
  async () => {
    const parent = spawn('sh', ['-c', 'sh -c "sleep 60; true" & sleep 61; true'], { detached: true })
    const pid = parent.pid ?? 0
    try {
      await vi.waitFor(async () =>
        expect((await titlesOfDescendants(pid)).filter(one => /^sleep/.test(one))).toHaveLength(2),
      )
      const titles = await titlesOfDescendants(pid)
      expect(titles).toEqual([expect.stringMatching(/^sh -c sleep 60/), 'sleep 60', 'sleep 61'])
      // A shell leaves out what stands between two arguments.
      expect(await print(String(pid))).toEqual(
        titles
          .map(title => title.replaceAll(' ', ''))
          .map(squeezed => expect.toSatisfy((line: string) => line.replaceAll(' ', '') === squeezed)),
      )
    } finally {
      process.kill(-pid, 'SIGKILL')
    }
  },
)

test('nothing is told of a process that is not there', async () => {
  expect(await titlesOfDescendants(2 ** 30)).toEqual([])
  expect(await print(String(2 ** 30))).toEqual([''])
})
