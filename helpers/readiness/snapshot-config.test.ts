import { describe, expect, test } from 'vitest'
import { ConfigMistakes } from '../environment.ts'
import { loadSnapshotConfig } from './snapshot-config.ts'

const load = (environment: NodeJS.ProcessEnv) => loadSnapshotConfig(environment, '/no/file')

function mistakes(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    load(environment)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error.mistakes
    throw error
  }
  return []
}

describe('how a snapshot is taken', () => {
  test('has its defaults', () => {
    expect(load({})).toEqual({ checksum: 'small', checksumBelowBytes: 1024 ** 3, maxSeconds: 300 })
  })

  test.each<[NodeJS.ProcessEnv, object]>([
    [{ SNAPSHOT_CHECKSUM: 'all' }, { checksum: 'all' }],
    [{ SNAPSHOT_CHECKSUM: 'none' }, { checksum: 'none' }],
    [
      { SNAPSHOT_CHECKSUM: 'public.jobs, "a,b"."c ""d""",sales.orders,' },
      { checksum: ['public.jobs', '"a,b"."c ""d"""', 'sales.orders'] },
    ],
    [{ SNAPSHOT_CHECKSUM_BELOW: '512MB' }, { checksumBelowBytes: 512 * 1024 ** 2 }],
    [{ SNAPSHOT_CHECKSUM_BELOW: '20 kB' }, { checksumBelowBytes: 20 * 1024 }],
    [{ SNAPSHOT_MAX_SECONDS: '5' }, { maxSeconds: 5 }],
  ])('is read from %o', (environment, config) => {
    expect(load(environment)).toMatchObject(config)
  })

  test('is refused with all that is wrong, in a sentence each', () => {
    expect(
      mistakes({
        SNAPSHOT_CHECKSUM: 'jobs',
        SNAPSHOT_CHECKSUM_BELOW: '1gb',
        SNAPSHOT_MAX_SECONDS: '0',
        SNAPSHOT_CHEKSUM: 'x',
      }),
    ).toEqual([
      'SNAPSHOT_CHECKSUM names jobs: name all tables as schema.table, or set it to all or none',
      "SNAPSHOT_CHECKSUM_BELOW is '1gb': set it to a whole number and a unit, of B, kB, MB, GB, TB, such as 1GB",
      "SNAPSHOT_MAX_SECONDS is '0': set it to a whole number of seconds from 1 to 86400",
      'SNAPSHOT_CHEKSUM is not a variable of snapshots: did you mean SNAPSHOT_CHECKSUM?',
    ])
    expect(mistakes({ SNAPSHOT_CHECKSUM: ',' })).toEqual([expect.stringContaining('names no table')])
    expect(mistakes({ SNAPSHOT_CHECKSUM_BELOW: '0GB' })).toEqual([expect.stringContaining('is no size')])
  })
})
