import { expect, it } from 'vitest'
import { baseBackupOf } from './base-backup.ts'
import { sampleStep } from './sample.ts'

const lsns = { startLsn: '0/2000028', stopLsn: '0/2000120', timeline: 1 }

it('the base backup of a drill is the first that a step tells of, however deep, taken when the step began', () => {
  const taken = sampleStep({ title: 'Take it', observations: lsns })
  const later = sampleStep({ title: 'Take another', observations: { ...lsns, startLsn: '0/5000028' } })
  expect(baseBackupOf({ steps: [sampleStep({ steps: [taken] }), later] })).toEqual({
    step: 'Take it',
    takenAt: taken.startedAt,
    wal: '0/2000028 to 0/2000120 on timeline 1',
  })
})

it("one of the user's is as old as it says itself, and never as the step that opened it", () => {
  const opened = (takenAt: string | null) =>
    baseBackupOf({ steps: [sampleStep({ observations: { ...lsns, stopLsn: null, backup: '/b', takenAt } })] })
  expect(opened('2025-01-01')).toMatchObject({
    where: '/b',
    takenAt: '2025-01-01',
    wal: '0/2000028 to ? on timeline 1',
  })
  expect(opened(null)).not.toHaveProperty('takenAt')
})

it('there is none where no step tells of one: a label that was read is of no backup that was taken', () => {
  expect(baseBackupOf({ steps: [sampleStep({ observations: { startLsn: '0/2000028' } })] })).toBeUndefined()
})
