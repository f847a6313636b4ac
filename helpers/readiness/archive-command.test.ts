import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeArchiveCommand } from './archive-command.ts'

const dataDirectory = '/var/lib/postgresql/data'
const durablePaths = ['/tmp/drill-1/archive']
const judge = (command: string) => judgeArchiveCommand(command, { dataDirectory, durablePaths })

describe('an archive_command', () => {
  it.each([
    'cp %p /mnt/wal/%f',
    'test ! -f /mnt/wal/%f && cp %p /mnt/wal/%f',
    'test ! -f "/mnt/my wal/%f" && cp "%p" "/mnt/my wal/%f"',
    'if test -e "/mnt/wal/%f"; then cmp -s "%p" "/mnt/wal/%f"; else cp "%p" "/mnt/wal/.%f" && mv "/mnt/wal/.%f" "/mnt/wal/%f"; fi',
    'pgbackrest --stanza=main archive-push %p',
    'barman-wal-archive backup-host main %p',
    'envdir /etc/wal-g.d/env wal-g wal-push "%p"',
    '/usr/local/bin/archive.sh %p %f',
    'rsync -a %p backup@host:/tmp/wal/%f',
    'rsync -a pg_wal/%f backup@host::wal/',
    'aws s3 cp %p s3://bucket/wal/%f',
    'gzip < %p > /mnt/wal/%f.gz 2>> /tmp/archive.log',
    'flock /run/lock/archive cp %p /mnt/wal/%f',
    "sh -c 'cp %p /mnt/wal/%f'",
    'cp %p "$WAL_ARCHIVE"/%f',
    'cp %p $WAL_ARCHIVE/%f',
    'cp %p ../archive/%f',
    'cp %p /tmp/drill-1/archive/wal/%f',
    'cp %p /var/lib/postgresql/data-archive/%f',
    'cp %p /tmpfs-not/%f',
  ])('is nothing to complain of: %s', command => {
    expect(judge(command)).toBeUndefined()
  })

  it.each([
    ['', 'no command'],
    ['  ', 'no command'],
    ['true', 'stores nothing'],
    ['/bin/true', 'stores nothing'],
    ['/usr/bin/true', 'stores nothing'],
    ['exit 0', 'stores nothing'],
    [':', 'stores nothing'],
    [': # cp %p /mnt/wal/%f', 'stores nothing'],
    ['/bin/true %p', 'stores nothing'],
    ['cp %p /mnt/wal/%f || true', 'succeeds whether or not'],
    ['cp %p /mnt/wal/%f || exit 0', 'succeeds whether or not'],
    ['/usr/local/bin/archive.sh', 'neither %p nor %f'],
    ['cp %p /var/lib/postgresql/data/archive/%f', 'into the data directory (/var/lib/postgresql/data/archive/%f)'],
    ['cp %p /var/lib/../lib/postgresql//data/%f', 'into the data directory'],
    ['cp %p archive/%f', 'into the data directory (/var/lib/postgresql/data/archive/%f)'],
    ['cp %p pg_wal/archive/%f', 'into the data directory'],
    ['cp %p ../data/archive/%f', 'into the data directory'],
    ['cp %p "/var/lib/postgresql/data/my archive/%f"', 'into the data directory'],
    ['cp %p /tmp/%f', 'below /tmp'],
    ['cp %p /tmp', 'below /tmp'],
    ['cp %p "/tmp"/%f', 'below /tmp'],
    ["sh -c 'cp %p /tmp/wal/%f'", 'below /tmp'],
    ['DEST=/tmp; cp %p $DEST/%f', 'below /tmp'],
    ['cp %p /var/tmp/wal/%f', 'below /var/tmp'],
    ['cp %p /dev/shm/%f', 'below /dev/shm'],
    ['cp %p /run/wal/%f', 'below /run'],
    ['cp %p /var/run/wal/%f', 'below /var/run'],
    ['cp %p /mnt/../tmp/%f', 'below /tmp'],
    ['gzip <%p >/tmp/%f.gz', 'below /tmp'],
    ['wal-push --target=/tmp/wal/%f %p', 'below /tmp'],
    ['/tmp/archive.sh %p %f', 'below /tmp'],
    ['cp %p /tmp/drill-1/archive/../elsewhere/%f', 'below /tmp'],
    ['cp %p /tmp/drill-1/archive-2/%f', 'below /tmp'],
  ])('is refused: %s (%s)', (command, why) => {
    expect(judge(command)).toContain(why)
  })

  it('into the data directory is refused whatever the user calls durable', () => {
    expect(
      judgeArchiveCommand('cp %p /srv/data/archive/%f', {
        dataDirectory: '/srv/data/',
        durablePaths: ['/srv/data/archive'],
      }),
    ).toContain('into the data directory')
  })

  it('is refused for any place below a folder that is not durable, and for no place elsewhere', () => {
    const folders = fc
      .array(fc.stringMatching(/^[a-z0-9_-]{1,8}$/), { minLength: 1, maxLength: 4 })
      .map(parts => parts.join('/'))
    fc.assert(
      fc.property(fc.constantFrom('/tmp', '/var/tmp', '/dev/shm', '/run', '/var/run'), folders, (volatile, folder) => {
        expect(judge(`cp %p ${volatile}/${folder}/%f`)).toContain(`below ${volatile} `)
        expect(judge(`cp %p /srv/${folder}/%f`)).toBeUndefined()
        expect(judge(`cp %p ${dataDirectory}/${folder}/%f`)).toContain('data directory')
      }),
    )
  })
})
