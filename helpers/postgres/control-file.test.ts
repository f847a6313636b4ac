import { describe, expect, test } from 'vitest'
import { parseControlFile } from './control-file.ts'
import { controlFileModel } from './control-file-model.ts'

describe('a control file', () => {
  test.each([
    ['15 and 16', {}],
    ['17', { version: 1700 }],
    ['18', { version: 1800, checksumAt: 292 }],
  ])('of %s tells what a restore needs to know', (_, options) => {
    expect(parseControlFile(controlFileModel(options))).toEqual({
      systemIdentifier: '7654321098765432109',
      catalogVersion: 202_209_061,
      state: 'in production',
      limits: {
        maxConnections: 300,
        maxWorkerProcesses: 12,
        maxWalSenders: 7,
        maxPreparedTransactions: 5,
        maxLocksPerTransaction: 128,
      },
      segmentSizeBytes: 64 * 1024 * 1024,
      dataChecksums: true,
    })
  })

  test.each([
    ['cut off', controlFileModel().subarray(0, 12), /its version is missing/],
    ['of another major', controlFileModel({ version: 1201 }), /its version is 1201/],
    ['with one bit flipped', flipped(controlFileModel()), /its checksum is another/],
    ['in no state that there is', controlFileModel({ state: 9 }), /unknown state 9/],
  ])('is refused %s', (_, bytes, message) => {
    expect(() => parseControlFile(bytes)).toThrow(message)
  })
})

function flipped(bytes: Buffer): Buffer {
  bytes.writeUInt8((bytes[180] ?? 0) ^ 1, 180)
  return bytes
}
