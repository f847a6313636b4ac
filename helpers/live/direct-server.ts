import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type pg from 'pg'
import { CannotRun } from '../failure.ts'
import { connectSession, type Session } from '../postgres/session.ts'
import { connectionRefused, isTlsNotOffered, whereIs } from './connection-refused.ts'
import type { DirectConfig } from './live-config.ts'
import type { LiveServer, SessionLimits } from './live-server.ts'
import { passwordFromFile } from './pass-file.ts'
import { APPLICATION_NAME, sessionOptions } from './session-options.ts'

/** A live server over connections of our own. */
export class DirectServer implements LiveServer {
  readonly where: string
  readonly #config: DirectConfig
  readonly #warnings = new Set<string>()

  constructor(config: DirectConfig) {
    this.#config = config
    this.where = whereIs(config, config.database)
  }

  get warnings(): readonly string[] {
    return [...this.#warnings]
  }

  async session(database = this.#config.database, limits?: Partial<SessionLimits>): Promise<Session> {
    const { host, port, user, connectTimeoutSeconds } = this.#config
    const settings: pg.ClientConfig = {
      host,
      port,
      user,
      database,
      password: () => this.#password(database),
      application_name: APPLICATION_NAME,
      options: sessionOptions(limits),
      connectionTimeoutMillis: connectTimeoutSeconds * 1000,
    }
    const attempts = tlsAttempts(this.#config)
    for (const [index, ssl] of attempts.entries()) {
      try {
        return await connectSession({ ...settings, ssl })
      } catch (error) {
        if (error instanceof CannotRun) throw error
        const isLast = index === attempts.length - 1
        if (isLast || !isAboutTls(error)) throw connectionRefused(error, { ...this.#config, database })
      }
    }
    throw new Error('there is always one attempt')
  }

  /** Called when the server asks for one. */
  #password(database: string): string {
    const { password, passFile, host, port, user } = this.#config
    const found = password === undefined ? passwordFromFile(passFile, { host, port, user, database }) : { password }
    if ('warning' in found && found.warning) this.#warnings.add(found.warning)
    if (found.password === undefined) {
      const hint = [...this.#warnings].map(warning => ` (${warning})`).join('')
      throw new CannotRun(
        `${whereIs(this.#config, database)} asks for the password of ${user}, and there is none: set PGPASSWORD, or write it into ${passFile}${hint}`,
      )
    }
    return found.password
  }
}

/** What the other attempt, with TLS or without it, may do better: the server has none, or its pg_hba.conf wants it otherwise. */
function isAboutTls(error: unknown): boolean {
  return isTlsNotOffered(error) || (error as { code?: string }).code === '28000'
}

/**
 * What to try in turn. `pg` takes every sslmode but `disable` for `verify-full`: so it is given none.
 * @throws {CannotRun} when a certificate is named that cannot be read.
 */
function tlsAttempts(config: DirectConfig): (ConnectionOptions | false)[] {
  const { host, sslMode } = config
  if (sslMode === 'disable' || host.startsWith('/')) return [false]
  const tls = tlsOptions(config)
  if (sslMode === 'allow') return [false, tls]
  return sslMode === 'prefer' ? [tls, false] : [tls]
}

/** With a root certificate, `require` verifies as `verify-ca` does. @see PostgreSQL documentation, "Client Verification of Server Certificates" */
function tlsOptions({ sslMode, sslRootCert, sslCert, sslKey }: DirectConfig): ConnectionOptions {
  const own = {
    ...(sslCert === undefined ? {} : { cert: readCertificate('client certificate', sslCert) }),
    ...(sslKey === undefined ? {} : { key: readCertificate('client key', sslKey) }),
  }
  const isVerified = sslMode === 'verify-full' || sslMode === 'verify-ca' || (sslMode === 'require' && sslRootCert)
  if (!isVerified) return { ...own, rejectUnauthorized: false }
  if (sslRootCert === undefined)
    throw new CannotRun(
      `sslmode is ${sslMode}, and there is no root certificate to verify the server by: set PGSSLROOTCERT to it, or to system`,
    )
  if (sslRootCert === 'system' && sslMode !== 'verify-full')
    throw new CannotRun(`sslrootcert is system, with which sslmode ${sslMode} would be weak: set it to verify-full`)
  return {
    ...own,
    ...(sslRootCert === 'system' ? {} : { ca: readCertificate('root certificate', sslRootCert) }),
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

function readCertificate(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CannotRun(`the ${what} ${file} cannot be read (${code}): name one that can, or leave it out`)
  }
}
