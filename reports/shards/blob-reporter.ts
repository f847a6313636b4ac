import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { SerializedError, TestModule, Vitest } from 'vitest/node'
import { ReportersMap } from 'vitest/node'
import { announced } from '../../helpers/evidence/run-facts.ts'
import { writeWhole } from '../run-folder.ts'
import { portableBlob } from './blob.ts'
import { BLOB_FILE } from './shard.ts'

/**
 * Vitest's blob reporter, whose blob lands in the run's folder free of secrets and of this machine's paths. It is written once,
 * when all drills have ended: a shard without one was cut off.
 */
export default class ShardBlobReporter extends ReportersMap.blob {
  readonly #file: string
  #vitest: Vitest | undefined

  constructor({ scratch }: { scratch: string }) {
    // A folder of its own, which nobody else may enter.
    const file = path.join(mkdtempSync(path.join(scratch, 'blob-')), BLOB_FILE)
    super({ outputFile: file })
    this.#file = file
  }

  override onInit(vitest: Vitest): void {
    super.onInit(vitest)
    this.#vitest = vitest
  }

  override async onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): Promise<void> {
    const { facts } = announced()
    if (!this.#vitest || !facts) return
    await withoutWord(this.#vitest.logger, () => super.onTestRunEnd(modules, errors))
    const blob = readFileSync(this.#file, 'utf8')
    rmSync(this.#file)
    const root = this.#vitest.config.root
    writeWhole(path.join(facts.directory, BLOB_FILE), portableBlob(blob, { root, secrets: facts.secrets }))
  }
}

/** It would name a file that is gone when somebody looks. */
async function withoutWord(logger: Vitest['logger'], write: () => Promise<void>): Promise<void> {
  const { log } = logger
  logger.log = () => undefined
  try {
    await write()
  } finally {
    logger.log = log
  }
}
