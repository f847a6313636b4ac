import { once } from 'node:events'
import { createServer } from 'node:net'

/** A loopback port that nobody listens on at this moment. Somebody may a moment later: whoever takes it looks whether it got it. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
