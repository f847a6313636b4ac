import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { CannotRun } from '../../helpers/failure.ts'

const CHROMIUM = '/usr/bin/chromium'

/** It is to look at one file, as any user, and to speak to nobody. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]

/**
 * Debian's Chromium, without a window and on a fresh profile.
 * @throws {CannotRun} where it is not installed.
 */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM))
    throw new CannotRun(`There is no ${CHROMIUM}, in which the report is looked at: apt-get install chromium`)
  return await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}
