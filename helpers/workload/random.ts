/** Numbers that follow from a seed alone, the same on every machine: what was drawn can be drawn again. */
export class Random {
  #state: number

  /** @param path tells apart what is drawn from one seed: equal seeds and paths give equal numbers, others unlike ones. */
  constructor(
    readonly seed: number,
    ...path: readonly (string | number)[]
  ) {
    this.#state = [seed, ...path].join('/').split('').reduce(mixIn, 0x811c9dc5)
  }

  /** At least 0 and below 1. The generator is Mulberry32. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, either bound included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  /** @throws {RangeError} when there is nothing to choose from. */
  oneOf<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError('there is nothing to choose from')
    return choices[this.between(0, choices.length - 1)] as T
  }

  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items]
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.between(0, last)
      ;[result[last], result[other]] = [result[other] as T, result[last] as T]
    }
    return result
  }
}

/** One step of FNV-1a. */
function mixIn(hash: number, letter: string): number {
  return Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
}
