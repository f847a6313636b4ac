import { expect, test } from 'vitest'
import { promisedLoss } from './promised-loss.ts'

const segmentSizeBytes = 16 * 2 ** 20

test('an archive_timeout bounds the loss in time, and a segment bounds it in bytes', () =>
  expect(promisedLoss({ archiveTimeoutSeconds: 60, segmentSizeBytes })).toEqual({
    seconds: 60,
    walBytes: segmentSizeBytes,
    sentence:
      'with archive_timeout = 60 s the loss is bounded by that, by one segment of 16 MiB of WAL, and by what archiving takes',
  }))

test('without one there is no promise in time', () => {
  const { seconds, walBytes, sentence } = promisedLoss({ archiveTimeoutSeconds: 0, segmentSizeBytes })
  expect([seconds, walBytes]).toEqual([undefined, segmentSizeBytes])
  expect(sentence).toMatch(/not in time/)
})
