import { FAULTS, type SIGNAL_NAMES } from '../../helpers/evidence/faults.ts'

type SignalName = (typeof SIGNAL_NAMES)[number]

/** A drill that does a step, or one that does it only where it was asked to: where one of its proofs says so. */
export type Doer = string | { drill: string; proof: RegExp }

/** All that restore a backup of their own onto a clean volume and recover from it to where they say. */
const RECOVERIES = [
  ...[
    'P1',
    'P2',
    'P3',
    'P4',
    'P5',
    'P6',
    'P7',
    'P8',
    'P9',
    'P10',
    'P11',
    'P12',
    'P13',
    'P13z',
    'P14',
    'P16',
    'R6',
    'S1',
  ],
  'L1',
]

/**
 * Which drills do which step of the runbook, by the step's own words: what a drill showed of a step says nothing for one that was
 * written anew since.
 */
export const STEPS: Readonly<Record<string, readonly Doer[]>> = {
  '`archive_mode` = `on`': ['R1'],
  '`wal_level` = `replica`': ['R1'],
  '`archive_command` points to durable storage': ['R1', 'R5', 'N8'],
  '`wal_keep_size` is non-zero for short-lived outage recovery': ['R1'],
  'If any value differs, page the platform owner for config change before accepting changes.': ['R1'],

  'SELECT pg_current_wal_lsn(), pg_current_wal_insert_lsn();': ['R3', 'P1'],
  'Capture `lsn` plus archive directory listing before maintenance windows.': ['R3', 'P1', 'R4', 'R5', 'R6'],

  'Stop write traffic: pause worker and API process, then stop dispatch stack write path.': ['P1'],
  'Take emergency snapshot + last base backup.': ['P1'],
  'Rebuild target Postgres on clean volume.': [...RECOVERIES, 'P15'],
  'Restore the chosen backup and configure recovery target': RECOVERIES,
  'Restart Postgres and verify WAL replay reaches expected recovery point.': RECOVERIES,
  'Replay API-level health checks': ['P1', 'N16', { drill: 'L1', proof: /\bthe application\b/ }],
  'Compare restored state row counts with pre-incident backup metadata.': [
    'P1',
    { drill: 'L1', proof: /\bthe snapshot of\b/ },
  ],

  'Missing archive segments beyond recovery target window': alarmsOf('missing-archive-segment'),
  '`pg_wal` growth without corresponding `archive_command` writes': alarmsOf('wal-growth-without-archiving'),
  'Recovery command stalls before `restore` completion': alarmsOf('recovery-stall'),
  'Escalate if any of the above persists beyond your RTO window.': alarmsOf(),
}

/** The drills with a fault at which that signal must fire, or any: each fires once it has outlasted the window, and not before. */
function alarmsOf(signal?: SignalName): string[] {
  const rings = (fires: readonly SignalName[]) => (signal ? fires.includes(signal) : fires.length > 0)
  return [...new Set(FAULTS.filter(({ fires }) => rings(fires)).map(({ drill }) => drill))]
}
