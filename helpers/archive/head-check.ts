import { findHeadDamage } from '../postgres/wal-check.ts'
import type { WalDamage } from '../postgres/wal-damage.ts'
import type { StoredSegment } from './stored-segments.ts'

/** How many files are asked for at once: in a container each costs a command. */
const FILES_AT_ONCE = 8

interface Seen {
  version: string
  found: WalDamage | undefined
}

/** Looks at the first page of segments, at each once, and again when the file has become another. */
export class HeadCheck {
  readonly #systemIdentifier: string
  #seen = new Map<string, Seen>()

  /** @param systemIdentifier of the cluster that the segments should be of, in decimal. */
  constructor(systemIdentifier: string) {
    this.#systemIdentifier = systemIdentifier
  }

  /** @param stored all that there are, by name: what is known of others is forgotten. */
  async look(stored: ReadonlyMap<string, StoredSegment>): Promise<WalDamage[]> {
    const isSeen = (name: string) => this.#seen.get(name)?.version === stored.get(name)?.version
    this.#seen = new Map([...this.#seen].filter(([name]) => isSeen(name)))
    const unseen = [...stored].filter(([name]) => !this.#seen.has(name))
    for (let at = 0; at < unseen.length; at += FILES_AT_ONCE) {
      await Promise.all(unseen.slice(at, at + FILES_AT_ONCE).map(([name, one]) => this.#lookAt(name, one)))
    }
    return [...this.#seen.values()].flatMap(({ found }) => found ?? [])
  }

  async #lookAt(name: string, stored: StoredSegment): Promise<void> {
    const { segment, version } = stored
    const head = await stored.readHead()
    if (head === 'gone') return
    const found = Buffer.isBuffer(head)
      ? findHeadDamage({ segment, sizeBytes: segment.sizeBytes, head }, this.#systemIdentifier)
      : head
    this.#seen.set(name, { version, found })
  }
}
