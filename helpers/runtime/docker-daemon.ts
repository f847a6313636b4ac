import { existsSync, readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { homedir, userInfo } from 'node:os'
import path from 'node:path'
import { deadlinesMs } from '../deadlines.ts'
import { CannotRun } from '../failure.ts'

/** What a daemon answered to one question of its HTTP API. */
export interface DaemonAnswer {
  status: number
  /** Parsed where it is JSON. */
  body: unknown
}

/**
 * The address of the daemon that answers: `DOCKER_HOST`, and that alone where it is set; else the first of the usual sockets
 * that answers. Asked with nothing but Node, since a run without Docker should not pay for loading a client; and with a
 * deadline, since an address behind which nothing is may swallow every packet.
 * @throws {CannotRun} saying which address was asked and what came of it.
 */
export async function findDaemon(): Promise<string> {
  const configured = process.env.DOCKER_HOST
  if (configured?.startsWith('ssh:')) {
    throw new CannotRun(
      `DOCKER_HOST=${configured} cannot be used: the containers' ports are reached over the network, so give the daemon's tcp:// address`,
    )
  }
  const addresses = configured ? [configured] : usualSockets()
  const refusals: string[] = []
  for (const address of addresses) {
    try {
      const { status, body } = await askDaemon(address, '/_ping', deadlinesMs.daemonAnswer)
      if (status === 200 && body === 'OK') return address
      refusals.push(`what answers at ${address} is no Docker daemon (HTTP status ${status}): check DOCKER_HOST`)
    } catch (cause) {
      refusals.push(describeRefusal(address, cause as NodeJS.ErrnoException))
    }
  }
  throw new CannotRun(
    refusals[0] ??
      'there is no Docker daemon here (DOCKER_HOST is not set, /var/run/docker.sock does not exist): start one or set DOCKER_HOST',
  )
}

/**
 * @param question a path of the Docker Engine API, without a version.
 * @throws what Node throws for a connection that is not made; a `TimeoutError` when there is no whole answer in time.
 */
export function askDaemon(address: string, question: string, timeoutMs: number): Promise<DaemonAnswer> {
  const signal = AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const request = send(address, question, signal)
    signal.addEventListener('abort', () => reject(signal.reason))
    request.once('error', reject).once('response', (response: http.IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.once('error', reject).once('end', () => resolve({ status: response.statusCode ?? 0, body: parse(text) }))
    })
    request.end()
  })
}

function send(address: string, question: string, signal: AbortSignal): http.ClientRequest {
  const { protocol, pathname, hostname, port } = new URL(address)
  if (protocol === 'unix:') return http.request({ socketPath: pathname, path: question, signal })
  const isEncrypted = protocol === 'https:' || process.env.DOCKER_TLS_VERIFY === '1' || port === '2376'
  return isEncrypted
    ? https.request({ host: hostname, port: port || 2376, path: question, signal, ...certificates() })
    : http.request({ host: hostname, port: port || 2375, path: question, signal })
}

function certificates(): https.RequestOptions {
  const folder = process.env.DOCKER_CERT_PATH
  const read = (file: string) => readFileSync(path.join(folder ?? '', file))
  return folder ? { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') } : {}
}

/** The same that testcontainers looks at, in its order. */
function usualSockets(): string[] {
  return [
    '/var/run/docker.sock',
    ...(process.env.XDG_RUNTIME_DIR ? [path.join(process.env.XDG_RUNTIME_DIR, 'docker.sock')] : []),
    path.join(homedir(), '.docker/run/docker.sock'),
    path.join(homedir(), '.docker/desktop/docker.sock'),
    `/run/user/${userInfo().uid}/docker.sock`,
  ]
    .filter(socket => existsSync(socket))
    .map(socket => `unix://${socket}`)
}

function describeRefusal(address: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES')
    return `permission denied on the Docker daemon's socket ${address}: run as a user of the group docker, or as root`
  const why =
    error.name === 'TimeoutError' ? `not within ${deadlinesMs.daemonAnswer / 1000} s` : (error.code ?? error.message)
  return `no Docker daemon answers at ${address} (${why}): start it, or set DOCKER_HOST to where it is`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
