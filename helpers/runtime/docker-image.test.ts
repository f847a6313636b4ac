import { expect, test } from 'vitest'
import { digestOf, readImageFacts } from './docker-image.ts'

const passwd = [
  'user root:x:0:0:root:/root:/bin/bash',
  'user nobody:x:65534:65534::/:/bin/false',
  'user postgres:x:101:104::/var/lib/postgresql:/bin/bash',
]

test('the server on PATH is taken, and the user postgres', () => {
  const output = [
    'path /usr/bin:/usr/lib/postgresql/17/bin',
    'bin /usr/lib/postgresql/17/bin postgres (PostgreSQL) 17.10 (Debian 17.10-1.pgdg13+1)',
    'bin /usr/lib/postgresql/18/bin postgres (PostgreSQL) 18.4',
    ...passwd,
  ].join('\n')
  expect(readImageFacts(output)).toEqual({
    bin: '/usr/lib/postgresql/17/bin',
    serverVersion: '17.10',
    major: 17,
    user: 'postgres',
    uid: 101,
    gid: 104,
    path: '/usr/bin:/usr/lib/postgresql/17/bin',
    hasClientPrograms: false,
  })
})

test.each([
  ['17.10', ['pg_basebackup', 'pg_verifybackup', 'pg_combinebackup'], true],
  ['17.10', ['pg_basebackup', 'pg_verifybackup'], false],
  ['16.4', ['pg_basebackup', 'pg_verifybackup'], true],
  ['16.4', ['pg_basebackup'], false],
])('beside a server %s, %j are all that belongs to it: %s', (version, programs, hasClientPrograms) => {
  const output = [
    'path /usr/bin',
    `bin /opt/bin postgres (PostgreSQL) ${version}`,
    ...programs.map(program => `program /opt/bin/${program}`),
    'program /usr/bin/pg_combinebackup',
    ...passwd,
  ].join('\n')
  expect(readImageFacts(output)).toMatchObject({ bin: '/opt/bin', hasClientPrograms })
})

test('of several servers beside PATH the newest is taken, and put on PATH', () => {
  const output = [
    'path /usr/bin',
    'bin /usr/lib/postgresql/9.6/bin postgres (PostgreSQL) 9.6.24',
    'bin /usr/pgsql-18/bin postgres (PostgreSQL) 18beta1',
    ...passwd,
  ].join('\n')
  expect(readImageFacts(output)).toMatchObject({
    bin: '/usr/pgsql-18/bin',
    serverVersion: '18beta1',
    major: 18,
    path: '/usr/pgsql-18/bin:/usr/bin',
  })
})

test('without a user postgres another one who is not root is taken', () => {
  const output = [
    'path /usr/bin',
    'bin /usr/bin postgres (PostgreSQL) 18.4',
    'user root:x:0:0::/:',
    'user daemon:x:1:1::/:',
    'user nobody:x:99:98::/:',
  ].join('\n')
  expect(readImageFacts(output)).toMatchObject({ user: 'nobody', uid: 99, gid: 98 })
})

test('an image without a server, and one with nobody to run it, are told apart', () => {
  expect(readImageFacts(['path /usr/bin', ...passwd].join('\n'))).toEqual({
    lack: expect.stringContaining('no PostgreSQL server'),
  })
  expect(readImageFacts('path /usr/bin\nbin /usr/bin postgres (PostgreSQL) 18.4\nuser root:x:0:0::/:')).toEqual({
    lack: expect.stringContaining('no user but root'),
  })
})

test.each([
  ['postgres:17', 'postgres@sha256:a'],
  ['postgres', 'postgres@sha256:a'],
  ['mirror.a.b:5000/postgres:17', 'mirror.a.b:5000/postgres@sha256:b'],
  ['mirror.a.b:5000/postgres', 'mirror.a.b:5000/postgres@sha256:b'],
  ['postgres@sha256:a', 'postgres@sha256:a'],
  ['docker.io/library/postgres:17', 'mirror.a.b:5000/postgres@sha256:b'],
])('the digest of %s is that of its registry, where there is one', (image, digest) => {
  expect(digestOf(image, ['mirror.a.b:5000/postgres@sha256:b', 'postgres@sha256:a'])).toBe(digest)
})

test.each([[[]], [null]])('an image of no registry has no digest: %j', digests => {
  expect(digestOf('drill-postgres:17', digests)).toBeUndefined()
})
