import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Volume } from '../runtime/volume.ts'
import { explainStoreFailure } from './backup-failure.ts'
import { TarGuard } from './tar-guard.ts'

/** What a tar in flight may take up in memory. */
const BUFFER_BYTES = 1024 * 1024

/** One tar on its way from the server into a folder of the store. */
export class IncomingTar {
  readonly #stream = new PassThrough({ highWaterMark: BUFFER_BYTES })
  readonly #guard = new TarGuard()
  readonly #unpacked: Promise<void>
  #isUnpacking = true

  constructor(store: Volume, folder: string) {
    // Whoever unpacks it gets the error; it may also come when nobody reads.
    this.#stream.on('error', () => undefined)
    this.#unpacked = store
      .unpack(this.#stream, folder)
      .catch(cause => {
        throw explainStoreFailure(cause)
      })
      .finally(() => {
        this.#isUnpacking = false
      })
    this.#unpacked.catch(() => undefined)
  }

  async write(chunk: Buffer): Promise<void> {
    this.#guard.check(chunk)
    // An unpacking that has failed says so here instead of waiting for room that never comes.
    if (!this.#isUnpacking) await this.#unpacked
    if (!this.#stream.write(chunk)) await Promise.race([once(this.#stream, 'drain'), this.#unpacked])
  }

  async end(): Promise<void> {
    this.#guard.end()
    this.#stream.end()
    await this.#unpacked
  }

  async abort(): Promise<void> {
    this.#stream.destroy(new Error('the base backup was given up'))
    await this.#unpacked.catch(() => undefined)
  }
}
