import { redact } from '../environment.ts'
import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { RecoveryTarget } from '../recovery/recovery-target.ts'
import { resolveTargetTime } from '../recovery/target-time.ts'

/** Where a restore is to end, as the user asks for it: `snapshot` is the moment of the snapshot that it is compared with. */
export type RequestedTarget = RecoveryTarget | { kind: 'snapshot' }

/** What PostgreSQL takes for the name of a restore point. @see PostgreSQL source, `MAXFNAMELEN` in `xlog_internal.h` */
const LONGEST_NAME_BYTES = 63

const FORMS =
  "latest, immediate, snapshot, lsn:0/3000060, 'time:2026-11-23 01:48:50+00', name:before-deploy or xid:4711, with ,inclusive behind an LSN, a time or an xid that is itself to come back"

/**
 * Reads `lsn:0/3000060`, `time:2026-11-23 01:48:50+00`, `xid:4711`, `name:before-deploy`, `latest`, `immediate`, `snapshot`. Recovery
 * stops just before an LSN, a time or a transaction, as the runbook has it, unless `,inclusive` stands behind.
 * @throws {Failure} `target-malformed`, and what `resolveTargetTime` throws: each message goes on from the name of what was set.
 */
export function parseRequestedTarget(text: string): RequestedTarget {
  if (text === 'latest' || text === 'immediate' || text === 'snapshot') return { kind: text }
  const [, kind, rest = ''] = /^(lsn|time|name|xid):(.+)$/s.exec(text) ?? []
  if (kind === 'name') return { kind, name: parseName(rest) }
  const [, value = '', including] = /^(.*?)\s*(,\s*inclusive)?$/s.exec(rest) ?? []
  const inclusive = including !== undefined
  switch (kind) {
    case 'lsn':
      return { kind, lsn: parseLsn(value), inclusive }
    case 'time':
      return { kind, time: parseTime(value), inclusive }
    case 'xid':
      if (!/^[1-9]\d{0,19}$/.test(value)) throw malformed(`is '${redact(text)}', which names no transaction`)
      return { kind, xid: value, inclusive }
    default:
      throw malformed(`is '${redact(text)}'`)
  }
}

function malformed(problem: string, options?: ErrorOptions): Failure {
  return new Failure('target-malformed', `${problem}: set it to ${FORMS}`, {}, options)
}

function parseLsn(text: string): Lsn {
  try {
    return Lsn.parse(text)
  } catch (cause) {
    throw malformed(`holds '${redact(text)}', which is no LSN`, { cause })
  }
}

function parseTime(text: string): string {
  try {
    return resolveTargetTime(text)
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause
    throw new Failure(cause.kind, `holds a time that cannot be gone back to: ${cause.message}`, cause.evidence, {
      cause,
    })
  }
}

function parseName(text: string): string {
  if (Buffer.byteLength(text) > LONGEST_NAME_BYTES)
    throw malformed(`names a restore point with more than ${LONGEST_NAME_BYTES} bytes, which PostgreSQL does not make`)
  return text
}
