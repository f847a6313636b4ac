import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../helpers/failure.ts'

/**
 * Makes the run's folder, and `latest` beside it point there. Another run may do the same at this moment: the link is
 * replaced in one go, and the last one wins.
 * @throws {CannotRun} when the folder cannot be written.
 */
export function makeRunFolder(directory: string): void {
  writing(directory, () => {
    mkdirSync(directory, { recursive: true })
    pointLatestTo(directory)
  })
}

/**
 * Whoever reads `file` meanwhile sees what it held or what it will hold, never a part. Its folder is made where there is none.
 * @throws {CannotRun} when it cannot be written: the disk may be full by now.
 */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`
  writing(file, () => {
    mkdirSync(path.dirname(file), { recursive: true })
    try {
      writeFileSync(temporary, content)
      renameSync(temporary, file)
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

function writing(what: string, write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw new CannotRun(
      `${what} cannot be written (${(cause as Error).message}): make room for it, or let this user write there`,
      { cause },
    )
  }
}

function pointLatestTo(directory: string): void {
  const out = path.dirname(directory)
  const temporary = path.join(out, `.latest-${path.basename(directory)}-${process.pid}`)
  rmSync(temporary, { force: true })
  symlinkSync(path.basename(directory), temporary, 'dir')
  try {
    renameSync(temporary, path.join(out, 'latest'))
  } finally {
    rmSync(temporary, { force: true })
  }
}
