import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { describeTarget, type RecoveryTarget, targetSettings } from './recovery-target.ts'

const NAMES = [
  'recovery_target',
  'recovery_target_lsn',
  'recovery_target_time',
  'recovery_target_xid',
  'recovery_target_name',
]

const targets: [string, RecoveryTarget, Record<string, string>][] = [
  ['the end of the archive', { kind: 'latest' }, {}],
  ['the first consistent point', { kind: 'immediate' }, { recovery_target: 'immediate' }],
  [
    'LSN 0/3000060, exclusive',
    { kind: 'lsn', lsn: Lsn.parse('0/3000060'), inclusive: false },
    { recovery_target_lsn: '0/3000060' },
  ],
  [
    'time 2026-01-02 03:04:05+00, inclusive',
    { kind: 'time', time: '2026-01-02 03:04:05+00', inclusive: true },
    { recovery_target_time: '2026-01-02 03:04:05+00' },
  ],
  ['transaction 742, exclusive', { kind: 'xid', xid: '742', inclusive: false }, { recovery_target_xid: '742' }],
  ['restore point before', { kind: 'name', name: 'before' }, { recovery_target_name: 'before' }],
]

describe('the settings of a recovery target', () => {
  test.each(targets)('of %s set it and nothing else', (words, target, used) => {
    const settings = targetSettings(target, 'pause')
    expect(Object.fromEntries(NAMES.map(name => [name, settings[name]]))).toEqual({
      ...Object.fromEntries(NAMES.map(name => [name, ''])),
      ...used,
    })
    expect(settings.recovery_target_action).toBe('pause')
    expect(describeTarget(target)).toBe(words)
  })

  test.each(targets.slice(1))('of %s have the used one behind all unused ones', (_, target, used) => {
    const written = Object.keys(targetSettings(target, 'promote')).filter(name => NAMES.includes(name))
    expect(written.at(-1)).toBe(Object.keys(used)[0])
  })

  test('say whether the target is included', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (inclusive, bytes) => {
        const settings = targetSettings({ kind: 'lsn', lsn: Lsn.fromBytes(bytes), inclusive }, 'pause')
        expect(settings.recovery_target_inclusive).toBe(inclusive)
        expect(Lsn.parse(String(settings.recovery_target_lsn)).bytes).toBe(bytes)
      }),
    )
  })
})
