import { realpathSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CannotRun } from '../../helpers/failure.ts'

/** Where the runs of this checkout leave their bundles. */
export const OUT = path.resolve(import.meta.dirname, '../out')

/**
 * The folder of the one run that a command is given, or of the latest.
 * @param command as it is typed.
 * @throws {CannotRun} for anything else, and where there is no such folder.
 */
export function namedBundle(command: string, argv: string[]): string {
  const folder = folderIn(command, argv)
  try {
    return realpathSync(folder)
  } catch (cause) {
    throw new CannotRun(`there is no ${folder}: name the folder of a run, such as reports/out/latest`, { cause })
  }
}

function folderIn(command: string, argv: string[]): string {
  try {
    const [folder = path.join(OUT, 'latest'), ...more] = parseArgs({ args: argv, allowPositionals: true }).positionals
    if (more.length > 0) throw new Error('more than one folder')
    return folder
  } catch (cause) {
    throw new CannotRun(`${command} takes the folder of one run, such as reports/out/latest, and nothing else`, {
      cause,
    })
  }
}
