import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { controlFileModel } from '../../postgres/control-file-model.ts'

export const LABEL =
  'START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: 2026-11-23 01:48:50 UTC\nLABEL: nightly\nSTART TIMELINE: 1\n'

/** The least that is a base backup, to be restored by nobody. */
export function backupModel(): Record<string, Buffer | string> {
  return {
    PG_VERSION: '15\n',
    backup_label: LABEL,
    'base/1/1259': 'rows',
    'global/pg_control': controlFileModel(),
    'postgresql.auto.conf': "archive_command = 'cp %p /prod/%f'\n",
  }
}

/** @param files by path. */
export function writeFiles(folder: string, files: Readonly<Record<string, Buffer | string>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }
}
