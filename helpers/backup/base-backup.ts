import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import type { Volume } from '../runtime/volume.ts'
import { explainInterruption, explainRefusal, messageOf } from './backup-failure.ts'
import { BackupReceiver } from './backup-receiver.ts'
import type { BackupManifest } from './manifest.ts'
import { CopyAnswer, openReplication } from './replication.ts'
import type { TablespaceLocation } from './tablespaces.ts'

/** A base backup in a store. */
export interface BaseBackup {
  id: string
  /** In the store: holds `base`, and `tablespaces/<oid>` for each tablespace. */
  folder: string
  /** Of the data directory, as a server that mounts the store finds it. */
  path: string
  label: string
  /** The server's when the backup began. */
  timeline: number
  startLsn: Lsn
  /** Recovery is consistent from here on: no target may be before it. */
  stopLsn: Lsn
  /** The server's clock just after the end, with microseconds and offset, in UTC: no target time may be before it. */
  stoppedAt: string
  /** In decimal. */
  systemIdentifier: string
  segmentSizeBytes: number
  serverMajor: number
  /** Where they lay on the server that the backup was taken of. */
  tablespaces: TablespaceLocation[]
  manifest: BackupManifest
  /** Of all files together. */
  sizeBytes: number
}

export interface BackupProgress {
  receivedBytes: number
  /** As the server estimated it at the beginning. */
  expectedBytes: number
}

const PROGRESS_AFTER_MS = 1_000
const PROGRESS_EVERY_MS = 1_000

/**
 * Takes a base backup over the replication protocol, straight into the store: no file of it lies anywhere else, and
 * memory does not grow with its size. Works with PostgreSQL 15 and later.
 * @param options.onProgress called once a second once the backup has taken longer than a second.
 * @throws {Failure} `backup-refused` (the server would not begin), `backup-interrupted` (it did not end), `backup-unsafe`
 * (a tar member that would leave its folder), `backup-not-stored`, `manifest-damaged`. The store then holds nothing of it.
 * @see PostgreSQL documentation, "Streaming Replication Protocol", BASE_BACKUP
 */
export async function takeBaseBackup(
  primary: PostgresNode,
  store: Volume,
  options: { onProgress?: (progress: BackupProgress) => void } = {},
): Promise<BaseBackup> {
  const id = `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`
  const client = await openReplication(primary.connection).catch(cause => {
    throw explainRefusal(cause, primary.connection)
  })
  try {
    return await receive(client, id, primary, store, options.onProgress)
  } catch (cause) {
    await store.remove(id).catch(error => {
      throw new AggregateError(
        [cause, error],
        `a base backup failed (${messageOf(cause)}), and what there is of it, ${id} in ${store.name}, could not be removed: ${messageOf(error)}`,
      )
    })
    throw cause
  } finally {
    await client.end()
  }
}

async function receive(
  client: pg.Client,
  id: string,
  primary: PostgresNode,
  store: Volume,
  onProgress?: (progress: BackupProgress) => void,
): Promise<BaseBackup> {
  const label = `drill ${id}`
  const answer = new CopyAnswer(
    `BASE_BACKUP (LABEL '${label}', CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256', PROGRESS true, TABLESPACE_MAP true)`,
  )
  const receiver = new BackupReceiver(store, id)
  try {
    const system = await client.query<{ systemid: string }>('IDENTIFY_SYSTEM')
    client.query(answer)
    const report = reporter(onProgress)
    for await (const batch of answer.batches()) {
      for (const message of batch) await receiver.take(message)
      report(receiver.receivedBytes, answer)
    }
    const manifest = await receiver.finish()
    const [start, tablespaces, stop] = answer.resultSets
    return {
      id,
      folder: id,
      path: `${store.path}/${id}/base`,
      label,
      ...readStart(start),
      stopLsn: Lsn.parse(stop?.[0]?.[0] ?? ''),
      systemIdentifier: system.rows[0]?.systemid ?? '',
      ...(await readServer(primary)),
      tablespaces: readTablespaces(tablespaces, receiver.archives),
      manifest,
      sizeBytes: manifest.files.reduce((total, file) => total + file.sizeBytes, 0),
    }
  } catch (cause) {
    answer.abort()
    await receiver.abort()
    if (cause instanceof Failure) throw cause
    throw answer.resultSets.length === 0
      ? explainRefusal(cause, primary.connection)
      : explainInterruption(cause, receiver.receivedBytes)
  }
}

function readStart(rows: CopyAnswer['resultSets'][number] | undefined): { startLsn: Lsn; timeline: number } {
  return { startLsn: Lsn.parse(rows?.[0]?.[0] ?? ''), timeline: Number(rows?.[0]?.[1]) }
}

/** All but the row of the data directory itself, which has neither oid nor location. */
function readTablespaces(
  rows: CopyAnswer['resultSets'][number] = [],
  archives: ReadonlySet<string>,
): TablespaceLocation[] {
  const announced = rows.flatMap(([oid, location]) => (oid && location ? [{ oid, location }] : []))
  const absent =
    announced.find(({ oid }) => !archives.has(`${oid}.tar`)) ?? (archives.has('base.tar') ? undefined : { oid: 'base' })
  if (absent)
    throw new Failure('backup-interrupted', `the server ended the base backup without sending ${absent.oid}.tar`)
  return announced
}

/** In UTC and with an offset, so that it means the same wherever it is read. */
const SERVER = `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS "stoppedAt",
  current_setting('server_version_num') AS version, (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS "segmentSize"`

/** What a backup says of its server, read right after it. */
export async function readServer(
  primary: PostgresNode,
): Promise<{ stoppedAt: string; serverMajor: number; segmentSizeBytes: number }> {
  const [row] = await primary.query(SERVER)
  return {
    stoppedAt: row?.stoppedAt ?? '',
    serverMajor: Math.floor(Number(row?.version) / 10_000),
    segmentSizeBytes: Number(row?.segmentSize),
  }
}

function reporter(
  onProgress: ((progress: BackupProgress) => void) | undefined,
): (receivedBytes: number, answer: CopyAnswer) => void {
  let due = performance.now() + PROGRESS_AFTER_MS
  return (receivedBytes, answer) => {
    const now = performance.now()
    if (!onProgress || now < due) return
    due = now + PROGRESS_EVERY_MS
    const expectedKilobytes = (answer.resultSets[1] ?? []).reduce(
      (total, [, , kilobytes]) => total + Number(kilobytes ?? 0),
      0,
    )
    onProgress({ receivedBytes, expectedBytes: expectedKilobytes * 1024 })
  }
}
