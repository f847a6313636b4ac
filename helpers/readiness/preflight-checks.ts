import { detectMissingArchiveSegment } from '../escalation/missing-archive-segment.ts'
import { mebibytes, otherGrowth } from '../escalation/other-growth.ts'
import { detectWalGrowthWithoutArchiving } from '../escalation/wal-growth-without-archiving.ts'
import type { PreflightCheck } from '../evidence/preflight-report.ts'
import { type Check, checkArchivalSettings, type SettingRow } from './archival-settings.ts'
import { forgottenSegments } from './forgotten-segments.ts'
import { type ArchiveFacts, isOfAnother, type PreflightFacts } from './preflight-facts.ts'
import { behindSeconds } from './recovery-window.ts'
import { coverage } from './snapshot.ts'
import type { Space, Unknown } from './space.ts'

export interface ReadinessLimits {
  /** What the user says is durable, below a volatile folder or on a volatile file system. */
  durablePaths: readonly string[]
  backupMaxAgeSeconds: number
  /** How long a finished segment may wait for its archiver. */
  maxLagSeconds: number
}

type Told = Pick<PreflightCheck, 'verdict' | 'seen' | 'advice'>

const ok = (seen: string): Told => ({ verdict: 'ok', seen, advice: '' })
const warning = (seen: string, advice: string): Told => ({ verdict: 'warning', seen, advice })
const failure = (seen: string, advice: string): Told => ({ verdict: 'failure', seen, advice })
const unknown = (seen: string, advice: string): Told => ({ verdict: 'unknown', seen, advice })

/** @param isDecisive whether nothing can be said of the whole while this is unknown. */
function check(name: string, wanted: string, told: Told, isDecisive = true): PreflightCheck {
  return { name, isDecisive, wanted, ...told }
}

const CONFIG_CHANGE = 'Page the platform owner for a config change.'

/** The runbook's sections 1 and 2, and what else decides whether this server could be recovered now; in a fixed order. */
export function checkReadiness(facts: PreflightFacts, limits: ReadinessLimits): PreflightCheck[] {
  if (facts.server.isInRecovery) return [checkRole(facts)]
  const { archive } = facts
  return [
    checkRole(facts),
    ...checkArchivalSettings(facts.server.settings, limits).map(fromSetting),
    ...checkOtherSettings(facts.server.settings),
    checkArchiver(facts),
    ...('unknown' in archive
      ? [check('archive', 'a WAL archive that can be listed', unknown('none', `${sentence(archive.unknown)}`))]
      : checkArchive(archive, facts, limits)),
    checkSlots(facts),
    checkSpace('pg_wal-space', facts.walSpace, walBytesWanted(facts)),
    checkConnection(facts),
    checkUser(facts),
    checkClock(facts),
    checkLooks(facts),
  ]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}

function checkRole({ server }: PreflightFacts): PreflightCheck {
  const wanted = 'a primary'
  return check(
    'server-role',
    wanted,
    server.isInRecovery
      ? unknown(
          'in recovery',
          'This is a standby, or a server that is being recovered: look at the primary that archives.',
        )
      : ok(`a primary, PostgreSQL ${server.version}`),
  )
}

/** What the role may not see is not wrong: it is not known. */
function fromSetting({ source, pendingRestart, ...one }: Check): PreflightCheck {
  const isHidden = one.seen === 'not visible'
  return {
    ...one,
    verdict: isHidden ? 'unknown' : one.verdict,
    isDecisive: true,
    ...(source === undefined ? {} : { source }),
    ...(pendingRestart === undefined ? {} : { pendingRestart }),
  }
}

/** What a setting that is off means. None of it stands in the way of a recovery from an archive. */
const BETTER_ON: Readonly<Record<string, string>> = {
  fsync: 'A crash of this machine may leave a damaged cluster, which only a recovery from a backup repairs.',
  data_checksums: 'Damage on disk is not noticed, and gets into base backups unseen.',
}

function checkOtherSettings(settings: readonly SettingRow[]): PreflightCheck[] {
  return settings.flatMap(({ name, setting, source, sourcefile, sourceline }) => {
    const why = BETTER_ON[name]
    if (why === undefined) return []
    const told = setting === 'on' ? ok(setting) : warning(setting, `${why} ${CONFIG_CHANGE}`)
    return [{ ...check(name, 'on', told), source: sourcefile ? `${sourcefile}:${sourceline}` : source }]
  })
}

function checkArchiver({ looks }: PreflightFacts): PreflightCheck {
  const [finding] = detectWalGrowthWithoutArchiving(looks).findings
  const last = looks.at(-1)
  const sampled =
    looks.length > 1
      ? `${looks.length} looks in ${((last?.atSeconds ?? 0) - (looks[0]?.atSeconds ?? 0)).toFixed(1)} s`
      : 'one look'
  const waiting = `${last?.ready.length ?? 0} segments wait`
  const told = finding
    ? failure(
        finding.cause,
        `${sentence(finding.sentence)} Repair that, then reload the configuration. Remove nothing from pg_wal.`,
      )
    : last?.archiver.isConfigured && !last.archiver.isRunning
      ? warning('not running', 'The archiver is not running: it ends with a command that is killed or exits above 125.')
      : ok(`${waiting}; ${sampled}`)
  return check('archiver', 'every finished segment reaches the archive', told)
}

/** What one look does not tell from an archiver that is at work. */
function checkLooks({ looks }: PreflightFacts): PreflightCheck {
  const told =
    looks.length > 1
      ? ok(`${looks.length}`)
      : warning('one', 'An archive_command that hangs is not seen in one look: look with --samples 3.')
  return check('looks', 'two or more', told)
}

function checkArchive(archive: ArchiveFacts, facts: PreflightFacts, limits: ReadinessLimits): PreflightCheck[] {
  const itself = check('archive', 'segments of this server', judgeArchive(archive, facts))
  // Of what another cluster has archived, nothing else matters to this one.
  if (isOfAnother(archive, facts.server)) return [itself]
  return [
    itself,
    check('archive-lag', 'no segment waits for long', judgeLag(facts, limits)),
    check('archive-continuity', 'no gap from the oldest usable base backup to now', judgeContinuity(archive, facts)),
    check(
      'base-backup',
      `not older than ${durationText(limits.backupMaxAgeSeconds)}`,
      judgeBackup(archive, facts, limits),
    ),
    check('recovery-window', 'from a base backup to the last archived commit', judgeWindow(archive, facts)),
    check('archive-storage', 'a durable file system', judgeStorage(archive, limits), false),
    checkSpace('archive-space', archive.space, 0),
    check('archive-pruning', 'old segments are removed', judgePruning(archive), false),
    check('archive-contents', "PostgreSQL's files alone", judgeContents(archive), false),
  ]
}

/** Nothing ever archived, another place, another cluster: each told apart. */
function judgeArchive(
  { where, listing, systemIdentifier }: ArchiveFacts,
  { server, looks, progress }: PreflightFacts,
): Told {
  const archiver = looks.at(-1)?.archiver
  const isEmpty = listing.segments.size === 0 && listing.wrongSized.length === 0
  if (isEmpty && !progress?.lastArchived && !archiver?.archivedCount)
    return failure(
      'nothing ever archived',
      `Neither is a segment in ${where} nor has the server archived any: nothing can be recovered.`,
    )
  if (isEmpty)
    return failure(
      'no segment',
      `The server says that it has archived ${progress?.lastArchived ?? `${archiver?.archivedCount} files`}, and no segment is in ${where}: the archive_command stores elsewhere, or nothing.`,
    )
  if (isOfAnother({ systemIdentifier }, server))
    return failure(
      'another cluster',
      `The newest segment in ${where} is of the cluster ${systemIdentifier}; this server is ${server.systemIdentifier}. Two servers archive into one place, or this is the archive of another.`,
    )
  return ok(`${where}: ${listing}`)
}

function judgeLag({ looks, lag, progress }: PreflightFacts, { maxLagSeconds }: ReadinessLimits): Told {
  const last = looks.at(-1)
  const ready = last?.ready ?? []
  const forgotten = last ? forgottenSegments(last) : []
  const waitSeconds = Math.max(0, ...ready.map(({ secondsAgo }) => secondsAgo))
  const { sentence: seen } = progress ? coverage({ ...progress, lag }) : { sentence: 'not seen' }
  if (forgotten.length > 0)
    return failure(
      `neither archived nor waiting to be: ${forgotten.join(', ')}`,
      `The server has finished these and does not hand them to its archiver, as after a time with archive_mode off: they do not come by themselves, and what was committed in them and since is lost with the server. Take a base backup: what comes after it needs none of them. ${sentence(seen)}`,
    )
  if (ready.length > 0 && waitSeconds > maxLagSeconds)
    return failure(
      `${ready.length} segments wait, the oldest, ${ready[0]?.segment}, for ${durationText(waitSeconds)}`,
      `The archive is far behind: what was committed since is lost with the server. ${sentence(seen)}`,
    )
  if (!lag) return failure(seen, 'What is committed now cannot be recovered: see whether archiving works.')
  if (ready.length > SEGMENTS_WAITING)
    return warning(`${ready.length} segments wait`, `The archiver does not keep up. ${sentence(seen)}`)
  return ok(seen)
}

/** A healthy archiver has one segment at hand, and under load a few more. */
const SEGMENTS_WAITING = 3

function judgeContinuity(archive: ArchiveFacts, { at }: PreflightFacts): Told {
  const { usable, broken } = archive
  const gaps = broken ? detectMissingArchiveSegment({ at, audit: broken.audit }).findings : []
  const told = gaps.map(gap => sentence(gap.sentence)).join(' ')
  const whatToDo =
    'Look for the segments in pg_wal and in copies of the archive, and take a base backup: what comes after it needs none of them.'
  if (!usable && broken) return failure(`broken behind ${nameOf(broken.backup)}`, `${told} ${whatToDo}`)
  if (!usable)
    return unknown('no base backup to begin from', 'No base backup is known to the archive: see base-backup.')
  const { audit, backup } = usable
  const damage = archive.window?.damages[0]
  if (damage)
    return failure(`damaged at ${damage.lsn}`, `${sentence(damage.message)} Recovery ends in front of it. ${whatToDo}`)
  if (archive.reach === 'names' && audit.timeline > 1)
    return unknown(
      'histories not read',
      'The histories of timelines cannot be read: set PREFLIGHT_ARCHIVE_FETCH_COMMAND.',
    )
  const seen = `from ${nameOf(backup)} on timeline ${audit.timeline}${audit.verdict === 'delayed' ? ', up to what has still to be archived' : ''}`
  const byNames = archive.reach === 'beginnings' ? '' : ', by names and sizes alone'
  if (!broken) return ok(`${seen}${byNames}`)
  return warning(seen, `From an older base backup, ${nameOf(broken.backup)}, one cannot come back to now. ${told}`)
}

function nameOf({ startLsn, history }: { startLsn: unknown; history?: { label: string } | undefined }): string {
  return history ? `the base backup '${history.label}' at ${startLsn}` : `the base backup at ${startLsn}`
}

function judgeBackup(
  { backups: { count, newest, newestStoppedAt, unreadable } }: ArchiveFacts,
  { server, progress }: PreflightFacts,
  { backupMaxAgeSeconds }: ReadinessLimits,
): Told {
  const running = server.runningBackups > 0 ? `; ${server.runningBackups} being taken` : ''
  if (!newest)
    return unknown(
      `none known${running}`,
      `No base backup has left its history (.backup) in the archive beside its WAL${unreadable.length > 0 ? ` (${unreadable.join('; ')})` : ''}: take one. One that is taken of a standby leaves none.`,
    )
  const walBytes = progress ? Number(progress.insertLsn.minus(newest.startLsn)) : 0
  const replay = `A recovery to now replays ${mebibytes(walBytes)} of WAL`
  if (!newestStoppedAt || !progress)
    return warning(
      `${nameOf(newest)}, of unknown age${running}`,
      `${replay}. Its age cannot be told: ${newest.history?.stopTime ?? 'its history is not read'}.`,
    )
  const ageSeconds = Math.max(0, (Date.parse(progress.readAt.until) - Date.parse(newestStoppedAt)) / 1000)
  const seen = `${nameOf(newest)}, ${durationText(ageSeconds)} old, of ${count}${running}`
  if (ageSeconds <= backupMaxAgeSeconds) return ok(`${seen}; ${replay.charAt(0).toLowerCase()}${replay.slice(1)}`)
  return warning(seen, `${replay}: the RTO grows with it. Take a base backup.`)
}

function judgeWindow(archive: ArchiveFacts, facts: PreflightFacts): Told {
  const { window, usable } = archive
  if (!usable) return failureOrUnknown(archive)
  if (!window)
    return unknown(
      'not yet',
      `The last segment of ${nameOf(usable.backup)} is not archived yet: until it is, there is no way back to any moment.`,
    )
  const seconds = secondsBehind(facts)
  const behind = seconds === undefined ? 'unknown how far behind now' : `${durationText(seconds)} behind now`
  const seen = `from ${window.from ?? `the end of ${nameOf(window.backup)}`} to ${window.to ?? window.toLsn}, ${behind}`
  if (window.to === undefined)
    return warning(
      seen,
      'No commit was found at the end of the archive, so that the last moment one can come back to has no time.',
    )
  return ok(seen)
}

function failureOrUnknown({ broken }: ArchiveFacts): Told {
  const limit = broken?.audit.recoverableTo
  if (!broken) return unknown('none', 'Without a base backup there is nothing to recover from.')
  return failure(
    limit ? `ends at ${limit}` : 'none',
    limit ? `What was committed behind ${limit} cannot be recovered.` : 'One cannot come back to any moment.',
  )
}

/** At the most, what was committed so long ago is not in the archive. */
export function secondsBehind({ archive, lag, looks, progress, server }: PreflightFacts): number | undefined {
  if ('unknown' in archive || !progress) return undefined
  const behindGap = { lag: undefined, archiveTimeoutSeconds: 0, oldestWaitSeconds: undefined }
  const now = progress.readAt.until
  if (!archive.usable) return behindSeconds({ now, lastCommit: archive.window?.lastCommit, ...behindGap })
  const last = looks.at(-1)
  // Those wait for nobody, and for how long is not known.
  if (last && forgottenSegments(last).length > 0)
    return behindSeconds({ now, lastCommit: archive.window?.lastCommit, ...behindGap })
  const waits = (last?.ready ?? []).map(({ secondsAgo }) => secondsAgo)
  const timeout = server.settings.find(({ name }) => name === 'archive_timeout')?.setting
  return behindSeconds({
    now,
    lag,
    lastCommit: archive.window?.lastCommit,
    archiveTimeoutSeconds: Number(timeout ?? 0),
    oldestWaitSeconds: waits.length > 0 ? Math.max(...waits) : undefined,
  })
}

function judgeStorage({ where, space }: ArchiveFacts, { durablePaths }: ReadinessLimits): Told {
  if ('unknown' in space) return unknown('not known', sentence(space.unknown))
  const { volatile } = space
  if (volatile === undefined || durablePaths.some(durable => where === durable || where.startsWith(`${durable}/`)))
    return ok('as far as its file system tells')
  const why = volatile === 'tmpfs' || volatile === 'ramfs' ? 'in memory' : 'in the own layer of a container'
  return failure(volatile, `The archive lies ${why}, and is lost with it. ${CONFIG_CHANGE}`)
}

/** More than any base backup needs, however the first of them came about. */
const SEGMENTS_UNNEEDED = 64

function judgePruning({ listing, usable, broken }: ArchiveFacts): Told {
  const oldest = (usable ?? broken)?.backup
  if (!oldest) return unknown('not known', 'Without a base backup nothing tells which segments are old.')
  const all = [...listing.segments.values()].flat()
  const unneeded = all.filter(({ end }) => end.isAtOrBefore(oldest.startLsn)).length
  const seen = `${unneeded} of ${all.length} segments are older than ${nameOf(oldest)}`
  if (unneeded <= Math.max(SEGMENTS_UNNEEDED, all.length - unneeded)) return ok(seen)
  return warning(
    seen,
    'Nothing seems to prune the archive: it grows until its disk is full, and archiving ends with that.',
  )
}

function judgeContents({ listing, usable, broken, backups }: ArchiveFacts): Told {
  const odd = [...((usable ?? broken)?.audit.oddities ?? []), ...backups.unreadable]
  const seen = `${listing.histories.length} histories of timelines, ${listing.backups.length} of base backups, ${listing.partials.length} partial`
  return odd.length === 0 ? ok(seen) : warning(seen, sentence(odd.join('; ')))
}

function checkSlots({ looks }: PreflightFacts): PreflightCheck {
  const abandoned = looks.at(-1)?.retention.slots.filter(({ isActive }) => !isActive) ?? []
  const held = otherGrowth(looks).filter(({ kind }) => kind === 'replication-slot')
  const told =
    abandoned.length > 0
      ? warning(
          abandoned.map(({ name, restartLsn }) => `'${name}' at ${restartLsn}`).join(', '),
          `Nobody reads from ${abandoned.length === 1 ? 'this slot' : 'these slots'}, and pg_wal grows until its disk is full. ${held.map(one => sentence(one.sentence)).join(' ')}`.trimEnd(),
        )
      : ok(held.length > 0 ? held.map(one => one.sentence).join('; ') : 'none holds WAL back')
  return check('replication-slots', 'each is read from', told)
}

/** Less than this share of a file system is nearly full. */
const FREE_SHARE = 0.1

function checkSpace(name: string, space: Space | Unknown, wantedBytes: number): PreflightCheck {
  const wanted = `${wantedBytes > 0 ? `${mebibytes(wantedBytes)} and ` : ''}${100 * FREE_SHARE} % free`
  if ('unknown' in space) return check(name, wanted, unknown('not known', sentence(space.unknown)), false)
  const { freeBytes, totalBytes } = space
  const share = totalBytes > 0 ? freeBytes / totalBytes : 0
  const seen = `${mebibytes(freeBytes)} free, ${(100 * share).toFixed(0)} %`
  const isFull = freeBytes < NEARLY_NOTHING_BYTES
  const told = isFull
    ? failure(seen, 'The disk is full: make room, and remove nothing from pg_wal by hand.')
    : freeBytes < wantedBytes || share < FREE_SHARE
      ? warning(seen, 'The disk is nearly full: make room before it is, and remove nothing from pg_wal by hand.')
      : ok(seen)
  return check(name, wanted, told, false)
}

/** Two segments. */
const NEARLY_NOTHING_BYTES = 32 * 2 ** 20

/** What pg_wal may still grow by without anything being wrong. */
function walBytesWanted({ server, looks }: PreflightFacts): number {
  const maxWal = Number(server.settings.find(({ name }) => name === 'max_wal_size')?.setting ?? 0) * 2 ** 20
  return Math.max(0, maxWal - (looks.at(-1)?.walBytes ?? 0))
}

function checkConnection({ where, warnings }: PreflightFacts): PreflightCheck {
  const told = warnings.length === 0 ? ok(where) : warning(where, warnings.map(sentence).join(' '))
  return check('connection', 'a connection that nobody else can make', told)
}

function checkUser({ server: { user, isSuperuser } }: PreflightFacts): PreflightCheck {
  const wanted = 'a role with pg_monitor and pg_read_all_data'
  const told = isSuperuser
    ? warning(
        `${user}, a superuser`,
        'A look needs no superuser: GRANT pg_monitor, pg_read_all_data TO a role of its own.',
      )
    : ok(user)
  return check('superuser', wanted, told)
}

/** Two machines that keep their clocks by the same service differ by less. */
const SKEW_SECONDS = 1

function checkClock({ server: { clock } }: PreflightFacts): PreflightCheck {
  const { skewSeconds, uncertaintySeconds } = clock
  const seen = `${Math.abs(skewSeconds).toFixed(1)} s ${skewSeconds < 0 ? 'behind' : 'ahead of'} this machine`
  const told =
    Math.abs(skewSeconds) > SKEW_SECONDS + uncertaintySeconds
      ? warning(seen, 'A target time must be given by the clock of the server: which one is right, nobody here knows.')
      : ok(seen)
  return check('clock', `within ${SKEW_SECONDS} s of this machine`, told)
}

/** In the largest unit of which there are two or more. */
export function durationText(seconds: number): string {
  const units = [
    ['days', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const
  const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ['s', 1]
  const count = seconds / size
  return `${unit === 's' && count < 10 && count % 1 !== 0 ? count.toFixed(1) : Math.floor(count)} ${unit}`
}
