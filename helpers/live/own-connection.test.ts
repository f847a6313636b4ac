import { describe, expect, it } from 'vitest'
import { findOwnConnection, withoutDatabases } from './own-connection.ts'

describe('a command that leads to a database of its own', () => {
  const environment = {
    DATABASE_URL: 'postgresql://app:secret@db.example.com/app',
    PGHOST: '/run/postgresql,standby-2',
  }

  it.each([
    ['node api.js --database postgres://app@10.0.0.7/app', 'postgres://app@10.0.0.7/app'],
    ['DATABASE_URL=$PRODUCTION node api.js', 'DATABASE_URL=$PRODUCTION'],
    ['env PGHOST=db1 node api.js', 'PGHOST=db1'],
    ['PGSERVICE=orders ./healthy.sh', 'PGSERVICE=orders'],
    ['psql -Atc "SELECT 1" -h db1', '-h db1'],
    ['pg_isready --host=db1', '--host=db1'],
    ['./healthy.sh db.example.com', 'db.example.com'],
    ['./healthy.sh --on=Standby-2:5432', 'standby-2'],
  ])('is found: %s', (command, found) => {
    expect(findOwnConnection(command, environment)).toBe(found)
  })

  it.each([
    'node api.js',
    'psql -Atc "SELECT count(*) FROM orders" "$DATABASE_URL" -h "$PGHOST"',
    'curl -fsS http://127.0.0.1:$PORT/health && df -h /',
    './healthy.sh --for app --dir /run/postgresql db.example.com.au',
    '',
  ])('and one that does not is left: %s', command => {
    expect(findOwnConnection(command, environment)).toBeUndefined()
  })

  it('names a server of the environment that is local to nobody but this machine', () => {
    expect(findOwnConnection('./healthy.sh localhost', { DATABASE_URL: 'postgres://localhost/app' })).toBeUndefined()
  })
})

describe('the environment of such a command', () => {
  it('names no database, by whatever variable', () => {
    expect(
      withoutDatabases({
        DATABASE_URL: 'postgres://a/b',
        READ_REPLICA: 'PostgreSQL://a/b',
        PGHOST: 'db1',
        PGPASSFILE: '/x',
        PATH: '/bin',
        API_TOKEN: 'kept',
      }),
    ).toEqual({ PATH: '/bin', API_TOKEN: 'kept' })
  })
})
