import type { PreflightReport } from '../../helpers/evidence/preflight-report.ts'
import type { Family } from './open-metrics.ts'

/** What a look at a live server comes to, for the rules over the three signals. What could not be seen has no sample. */
export function preflightFamilies({ at, signals, window, lag }: PreflightReport): Family[] {
  const one = (value: number | undefined) => (value === undefined ? [] : [{ labels: {}, value }])
  return [
    {
      name: 'pg_recovery_signals_timestamp_seconds',
      unit: 'seconds',
      help: 'When the detectors last looked, as Unix time.',
      samples: one(unixSeconds(at)),
    },
    {
      name: 'pg_recovery_signal_conditions',
      help: 'How many conditions a detector found at its last look: 0 is quiet.',
      samples: Object.entries(signals).map(([signal, value]) => ({ labels: { signal }, value })),
    },
    {
      name: 'pg_recovery_window_start_timestamp_seconds',
      unit: 'seconds',
      help: 'The first moment that one can come back to, as Unix time.',
      samples: one(window?.from === undefined ? undefined : unixSeconds(window.from)),
    },
    {
      name: 'pg_recovery_window_end_timestamp_seconds',
      unit: 'seconds',
      help: 'The moment up to which no commit is lost, as Unix time.',
      samples: one(window?.behindSeconds === undefined ? undefined : unixSeconds(at) - window.behindSeconds),
    },
    {
      name: 'pg_recovery_archive_lag_segments',
      help: 'Segments that hold WAL which the archive does not.',
      samples: one(lag?.segments),
    },
    {
      name: 'pg_recovery_archive_lag_bytes',
      unit: 'bytes',
      help: 'WAL that is written and not archived.',
      samples: one(lag?.bytes),
    },
    {
      name: 'pg_recovery_archive_lag_seconds',
      unit: 'seconds',
      help: 'At the most, the age of the oldest commit that is not archived.',
      samples: one(lag?.seconds),
    },
  ]
}

function unixSeconds(moment: string): number {
  return Date.parse(moment) / 1000
}
