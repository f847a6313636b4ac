import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../failure.ts'
import { crc32c } from './crc32c.ts'

/** Where `xlp_sysid` stands in the long header that begins every segment. @see `src/include/access/xlog_internal.h` */
const SEGMENT_SYSTEM_IDENTIFIER_AT = 24

/**
 * Gives a cluster that was copied while cleanly shut down a system identifier of its own: in `pg_control` and in the
 * segments of its `pg_wal`. Without it two clusters copied from one template replay each other's WAL as if it were
 * theirs, and a drill about another cluster's archive would pass for the wrong reason.
 * @returns the new identifier, in decimal as `pg_control_system()` prints it.
 * @throws when the control file's checksum is not found.
 * @see PostgreSQL source, `src/include/catalog/pg_control.h` (`ControlFileData`), `WriteControlFile` in `xlog.c`
 */
export function restampSystemIdentifier(dataDirectory: string): string {
  const file = path.join(dataDirectory, 'global/pg_control')
  const control = readFileSync(file)
  const checksumAt = findChecksum(control)
  const old = control.readBigUInt64LE(0)
  // As initdb makes one: seconds in the upper half, something of this moment in the lower.
  const identifier = (BigInt(Math.floor(Date.now() / 1000)) << 32n) | BigInt(randomBytes(4).readUInt32LE())
  control.writeBigUInt64LE(identifier, 0)
  control.writeUInt32LE(crc32c(control.subarray(0, checksumAt)), checksumAt)
  writeFileSync(file, control)
  for (const name of readdirSync(path.join(dataDirectory, 'pg_wal'))) {
    if (/^[0-9A-F]{24}$/.test(name)) restampSegment(path.join(dataDirectory, 'pg_wal', name), old, identifier)
  }
  return identifier.toString()
}

/** What a cluster's control file tells of it. */
export interface ControlFile {
  /** In decimal, as `pg_control_system()` prints it. */
  systemIdentifier: string
  catalogVersion: number
  state: (typeof STATES)[number]
  /** What a hot standby must not be below. */
  limits: {
    maxConnections: number
    maxWorkerProcesses: number
    maxWalSenders: number
    maxPreparedTransactions: number
    maxLocksPerTransaction: number
  }
  segmentSizeBytes: number
  dataChecksums: boolean
}

/** In the words of pg_controldata. */
const STATES = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
] as const

/** Of 13 to 16, of 17, of 18: what is read here stands in the same place in all of them. */
const VERSIONS = [1300, 1700, 1800]

/**
 * Reads a `pg_control` of PostgreSQL 15 to 18, once its checksum has been found right.
 * @throws {Failure} `control-file-damaged`.
 * @see PostgreSQL source, `src/include/catalog/pg_control.h` (`ControlFileData`), with eight-byte alignment
 */
export function parseControlFile(bytes: Buffer): ControlFile {
  const version = bytes.length < 16 ? undefined : bytes.readUInt32LE(8)
  if (version === undefined || !VERSIONS.includes(version))
    throw new Failure(
      'control-file-damaged',
      `global/pg_control is not of PostgreSQL 15 to 18 on a machine such as this: its version is ${version ?? 'missing'}`,
      { version: version ?? null },
    )
  if (checksumOf(bytes) === undefined)
    throw new Failure('control-file-damaged', 'global/pg_control is damaged: its checksum is another')
  const state = STATES[bytes.readUInt32LE(16)]
  if (state === undefined)
    throw new Failure('control-file-damaged', `global/pg_control has the unknown state ${bytes.readUInt32LE(16)}`)
  return {
    systemIdentifier: bytes.readBigUInt64LE(0).toString(),
    catalogVersion: bytes.readUInt32LE(12),
    state,
    limits: {
      maxConnections: bytes.readInt32LE(180),
      maxWorkerProcesses: bytes.readInt32LE(184),
      maxWalSenders: bytes.readInt32LE(188),
      maxPreparedTransactions: bytes.readInt32LE(192),
      maxLocksPerTransaction: bytes.readInt32LE(196),
    },
    segmentSizeBytes: bytes.readUInt32LE(228),
    dataChecksums: bytes.readUInt32LE(252) !== 0,
  }
}

/** The checksum follows the struct, whose length differs by major: it stands where the bytes before it sum up to it. */
function findChecksum(control: Buffer): number {
  const at = checksumOf(control)
  if (at === undefined) throw new Error('pg_control has no valid checksum')
  return at
}

function checksumOf(control: Buffer): number | undefined {
  for (let at = 128; at < 512 && at + 4 <= control.length; at += 4)
    if (crc32c(control.subarray(0, at)) === control.readUInt32LE(at)) return at
  return undefined
}

function restampSegment(file: string, old: bigint, identifier: bigint): void {
  const descriptor = openSync(file, 'r+')
  try {
    const bytes = Buffer.alloc(8)
    readSync(descriptor, bytes, 0, 8, SEGMENT_SYSTEM_IDENTIFIER_AT)
    if (bytes.readBigUInt64LE() !== old) return
    bytes.writeBigUInt64LE(identifier)
    writeSync(descriptor, bytes, 0, 8, SEGMENT_SYSTEM_IDENTIFIER_AT)
  } finally {
    closeSync(descriptor)
  }
}
