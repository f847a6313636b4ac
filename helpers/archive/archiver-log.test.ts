import { describe, expect, test } from 'vitest'
import { lastArchiverComplaint } from './archiver-log.ts'

const at = '2026-11-27 03:00:00.123 UTC [42] archiver'
const linesOf = (...texts: string[]) => texts.map((text, atMs) => ({ atMs, text }))

describe('what the archiver last complained of', () => {
  test('is nothing while it has not', () => {
    expect(lastArchiverComplaint([])).toBeUndefined()
    expect(
      lastArchiverComplaint(linesOf('cp: not ours', `${at} LOG:  restored log file "x" from archive`)),
    ).toBeUndefined()
  })

  test('comes with what the command printed, and without the command', () => {
    const lines = linesOf(
      `${at} LOG:  archive command failed with exit code 3`,
      `${at} DETAIL:  The failed archive command was: put --token=canary`,
      'put: no space left',
      `${at} LOG:  archive command failed with exit code 1`,
      `${at} DETAIL:  The failed archive command was: put --token=canary`,
      `${at} WARNING:  archiving write-ahead log file "000000010000000000000003" failed too many times, will try again later`,
    )
    expect(lastArchiverComplaint(lines)).toBe('archive command failed with exit code 1 (put: no space left)')
    expect(lastArchiverComplaint(lines.slice(0, 2))).toBe('archive command failed with exit code 3')
  })

  test.each([
    [
      `${at} FATAL:  archive command was terminated by signal 9: Killed`,
      'archive command was terminated by signal 9: Killed',
    ],
    [
      `${at} WARNING:  archive_mode enabled, yet archiving is not configured`,
      'archive_mode enabled, yet archiving is not configured',
    ],
  ])('is also %s', (line, complaint) => {
    expect(lastArchiverComplaint(linesOf(`${at} LOG:  ready`, line))).toBe(complaint)
  })
})
