import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import Dockerode from 'dockerode'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { execute, readInput } from './docker-exec.ts'

vi.mock(import('../deadlines.ts'), async importOriginal => {
  const { deadlinesMs } = await importOriginal()
  return { deadlinesMs: { ...deadlinesMs, containerCommand: 500 as typeof deadlinesMs.containerCommand } }
})

/** What a daemon answers to one request after the other; nothing more, and the connection stays. */
let answers: string[]
let daemon: Server
let sockets: Socket[]
let container: Dockerode.Container

beforeEach(async () => {
  answers = []
  sockets = []
  daemon = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => undefined).on('data', () => socket.write(answers.shift() ?? ''))
  }).listen(0, '127.0.0.1')
  await once(daemon, 'listening')
  const { port } = daemon.address() as { port: number }
  container = new Dockerode({ protocol: 'http', host: '127.0.0.1', port }).getContainer('one')
})

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  daemon.close()
})

const CREATED = 'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"Id":"id"}'
const UPGRADED = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n'

test.each([
  ['is not made', [], 'waited 0.5 s for the daemon to begin `cat`'],
  ['is made and not started', [CREATED], 'waited 0.5 s for the daemon to begin `cat`'],
  ['never ends, all its input given', [CREATED, UPGRADED], 'waited 0.5 s for `cat` to end in a container'],
])('a command that %s is named', async (_, said, message) => {
  answers = said
  const command = execute(container, { script: 'cat', user: 'postgres', stdin: Buffer.from('input') })
  await expect(command).rejects.toMatchObject({ kind: 'deadline-passed', message: expect.stringContaining(message) })
})

test('input is read to its last byte and no further', () => {
  expect([readInput(Buffer.from('drill')), readInput(Buffer.alloc(0))]).toEqual(['head -c 5', 'head -c 0'])
})
