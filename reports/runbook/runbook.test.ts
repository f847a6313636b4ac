import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRunbook } from './runbook.ts'

const shipped = readFileSync(path.join(import.meta.dirname, '../../drills/runbook.md'), 'utf8')
const read = (markdown: string) => readRunbook(markdown).map(({ step, text }) => `${step} ${text}`)

describe("the suite's runbook", () => {
  it('has four sections, whose steps are told in its own words', () => {
    expect(read(shipped)).toEqual([
      '1.1 `archive_mode` = `on`',
      '1.2 `wal_level` = `replica`',
      '1.3 `archive_command` points to durable storage',
      '1.4 `wal_keep_size` is non-zero for short-lived outage recovery',
      '1.5 If any value differs, page the platform owner for config change before accepting changes.',
      '2.1 SELECT pg_current_wal_lsn(), pg_current_wal_insert_lsn();',
      '2.2 Capture `lsn` plus archive directory listing before maintenance windows.',
      '3.1 Stop write traffic: pause worker and API process, then stop dispatch stack write path.',
      '3.2 Take emergency snapshot + last base backup.',
      '3.3 Rebuild target Postgres on clean volume.',
      '3.4 Restore the chosen backup and configure recovery target',
      '3.5 Restart Postgres and verify WAL replay reaches expected recovery point.',
      '3.6 Replay API-level health checks',
      '3.7 Compare restored state row counts with pre-incident backup metadata.',
      '4.1 Missing archive segments beyond recovery target window',
      '4.2 `pg_wal` growth without corresponding `archive_command` writes',
      '4.3 Recovery command stalls before `restore` completion',
      '4.4 Escalate if any of the above persists beyond your RTO window.',
    ])
    expect([...new Set(readRunbook(shipped).map(({ section, heading }) => `${section} ${heading}`))]).toEqual([
      '1 Verify WAL archival state',
      '2 Confirm WAL archive continuity',
      '3 Controlled recovery playbook',
      '4 Escalation signals',
    ])
  })
})

describe('readRunbook', () => {
  it('keeps the numbers of a list that commands and text interrupt', () => {
    expect(
      read(
        '## 3) x\n\nSaid before.\n\n1. One:\n   - a\n   - b\n\n```bash\n# 9. no step\n- neither\n```\n\nSaid below.\n\n2. Two\n   goes on.\n',
      ),
    ).toEqual(['3.1 One: a b', '3.2 Two goes on.'])
  })

  it('takes paragraphs that go on for one step, and no lead-in for one', () => {
    expect(read('## 4) x\n\nThese:\n\n- a\n- b\n  goes on\n\nThen this,\nand that.\n')).toEqual([
      '4.1 a',
      '4.2 b goes on',
      '4.3 Then this, and that.',
    ])
  })

  it('counts commands where nothing is listed', () => {
    expect(read('## 2) x\n\n```bash\nls \\\n  archive\n```\n\nLook at it.\n')).toEqual([
      '2.1 ls archive',
      '2.2 Look at it.',
    ])
  })

  it('finds nothing outside numbered sections', () => {
    expect(read('# Title\n\nText.\n\n## Notes\n\n- a\n')).toEqual([])
  })
})
