import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderSettings } from './conf.ts'
import { parseConfiguration } from './configuration.ts'

const read = (text: string) => parseConfiguration(text, 'x.conf').map(({ name, value }) => [name, value])

describe('a configuration file', () => {
  test.each([
    ["archive_command = 'cp %p /prod/%f'", ['archive_command', 'cp %p /prod/%f']],
    ["archive_command='it''s'", ['archive_command', "it's"]],
    [String.raw`archive_command 'a\'b\\c\tq'`, ['archive_command', "a'b\\c\tq"]],
    ['max_connections 100', ['max_connections', '100']],
    ['Work_Mem=4MB#more', ['work_mem', '4MB']],
    ["cron.database_name = 'postgres'   # the scheduler's", ['cron.database_name', 'postgres']],
    ["  include_dir 'conf.d'\r", ['include_dir', 'conf.d']],
    ["restore_command = ''", ['restore_command', '']],
  ])('%s', (line, expected) => {
    expect(read(line)).toEqual([expected])
  })

  test.each(['', '# archive_command = x', 'archive_command', "archive_command = 'a", "archive_command = 'a' b", '= 1'])(
    'has no setting in the line %j',
    line => {
      expect(read(line)).toEqual([])
    },
  )

  test('tells file and line', () => {
    expect(parseConfiguration("# a\n\nport = 5433\nfsync = 'off'\n", 'conf.d/10.conf')).toEqual([
      { file: 'conf.d/10.conf', line: 3, name: 'port', value: '5433' },
      { file: 'conf.d/10.conf', line: 4, name: 'fsync', value: 'off' },
    ])
  })

  test('gives back what we write ourselves', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter(value => !/[\n\r\0]/.test(value)),
        value => {
          expect(read(renderSettings({ archive_command: value }))).toEqual([['archive_command', value]])
        },
      ),
    )
  })
})
