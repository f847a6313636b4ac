import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { deadlinesMs } from '../deadlines.ts'
import { CannotRun } from '../failure.ts'
import { askDaemon, findDaemon } from './docker-daemon.ts'

const servers: Server[] = []

afterEach(() => {
  vi.unstubAllEnvs()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering = (listener: RequestListener) => listen(createHttpServer(listener))

test('the daemon that DOCKER_HOST names is taken when it answers', async () => {
  const address = await answering((request, response) => response.end(request.url === '/_ping' ? 'OK' : ''))
  vi.stubEnv('DOCKER_HOST', address)
  expect(await findDaemon()).toBe(address)
})

test('an address that swallows what it gets is given up in time, and named', async () => {
  const address = await listen(createServer(socket => socket.resume().on('error', () => undefined)))
  vi.stubEnv('DOCKER_HOST', address)
  await expect(findDaemon()).rejects.toThrow(
    `no Docker daemon answers at ${address} (not within ${deadlinesMs.daemonAnswer / 1000} s)`,
  )
})

test('an address with nobody behind it, something else behind it, or a way to it that cannot be gone, is one sentence', async () => {
  const other = await answering((_, response) => response.end('welcome'))
  for (const [address, said] of [
    ['tcp://127.0.0.1:1', /no Docker daemon answers at .*ECONNREFUSED/],
    ['unix:///nowhere/docker.sock', /no Docker daemon answers at .*ENOENT/],
    [other, /is no Docker daemon/],
    ['ssh://root@somewhere', /cannot be used/],
  ] as const) {
    vi.stubEnv('DOCKER_HOST', address)
    const refusal = await findDaemon().catch(error => error)
    expect(refusal).toBeInstanceOf(CannotRun)
    expect(refusal.message).toMatch(said)
  }
})

test('an answer is read as JSON where it is JSON', async () => {
  const address = await answering((_, response) => response.writeHead(404).end('{"message":"no such image"}'))
  expect(await askDaemon(address, '/images/x/json', 1_000)).toEqual({ status: 404, body: { message: 'no such image' } })
})
