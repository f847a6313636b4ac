import { expect, it } from 'vitest'
import { preloadedBy } from './preload-libraries.ts'

const line = (name: string, value: string) => ({ file: 'postgresql.conf', line: 1, name, value })

it('of several lines the last counts, and each library is named once', () => {
  const configuration = [
    line('shared_preload_libraries', 'timescaledb'),
    line('session_preload_libraries', 'auto_explain'),
    line('shared_preload_libraries', ' pg_cron, "$libdir/Own One" ,auto_explain,'),
    line('local_preload_libraries', ''),
    line('archive_command', 'cp'),
  ]
  expect(preloadedBy({ configuration })).toEqual(['pg_cron', '$libdir/Own One', 'auto_explain'])
  expect(preloadedBy({ configuration: [] })).toEqual([])
})
