import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { parseRequestedTarget } from './requested-target.ts'

describe('a target as the user writes it', () => {
  it.each([
    ['latest', { kind: 'latest' }],
    ['immediate', { kind: 'immediate' }],
    ['snapshot', { kind: 'snapshot' }],
    ['lsn:0/3000060', { kind: 'lsn', lsn: Lsn.parse('0/3000060'), inclusive: false }],
    ['lsn:0/3000060,inclusive', { kind: 'lsn', lsn: Lsn.parse('0/3000060'), inclusive: true }],
    ['time:2026-11-23 01:48:50.5+05:45', { kind: 'time', time: '2026-11-23 01:48:50.5+05:45', inclusive: false }],
    ['time:2026-11-23T01:48:50Z, inclusive', { kind: 'time', time: '2026-11-23 01:48:50+00', inclusive: true }],
    ['time:2026-11-23 01:48:50 Europe/Berlin', { kind: 'time', time: '2026-11-23 01:48:50+01', inclusive: false }],
    ['name:before: the, inclusive', { kind: 'name', name: 'before: the, inclusive' }],
    ['xid:4711', { kind: 'xid', xid: '4711', inclusive: false }],
  ])('%s', (text, target) => {
    expect(parseRequestedTarget(text)).toEqual(target)
  })

  it('comes back as the LSN that was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), (bytes, inclusive) => {
        const lsn = Lsn.fromBytes(bytes)
        expect(parseRequestedTarget(`lsn:${lsn}${inclusive ? ',inclusive' : ''}`)).toEqual({
          kind: 'lsn',
          lsn,
          inclusive,
        })
      }),
    )
  })
})

describe('a target that means nothing is refused with what to write', () => {
  it.each([
    ['', 'target-malformed', /^is '': set it to latest, /],
    ['yesterday', 'target-malformed', /^is 'yesterday': set it to /],
    ['lsn:', 'target-malformed', /^is 'lsn:': /],
    ['lsn:300', 'target-malformed', /^holds '300', which is no LSN: set it to /],
    ['xid:0', 'target-malformed', /^is 'xid:0', which names no transaction: /],
    ['xid:x', 'target-malformed', /names no transaction/],
    [`name:${'é'.repeat(32)}`, 'target-malformed', /more than 63 bytes/],
    ['time:2026-11-23 01:48:50', 'time-without-offset', /does not say on which clock.* write 2026-11-23 01:48:50\+00 /],
    ['time:soon', 'time-malformed', /'soon' is no time: write one such as /],
    ['time:2026-10-25 02:30:00 Europe/Berlin', 'time-ambiguous', /came twice/],
  ])('%s', (text, kind, message) => {
    expect(() => parseRequestedTarget(text)).toThrow(
      expect.objectContaining({ kind, message: expect.stringMatching(message) }),
    )
  })
})
