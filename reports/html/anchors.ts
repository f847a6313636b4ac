import type { Drill, Evidence } from '../../helpers/evidence/evidence.ts'

/** Where in the page each drill is told: ids of elements, no two alike, whatever the drills are called. */
export class Anchors {
  readonly #ofDrill = new Map<Drill, string>()
  readonly #ofId = new Map<string, string>()

  constructor({ drills }: Evidence) {
    const taken = new Set<string>()
    for (const drill of drills) {
      const name = `drill-${drill.id.replaceAll(/[^\w.-]/g, '_')}`
      let anchor = name
      for (let count = 2; taken.has(anchor); count++) anchor = `${name}-again-${count}`
      taken.add(anchor)
      this.#ofDrill.set(drill, anchor)
      if (!this.#ofId.has(drill.id)) this.#ofId.set(drill.id, anchor)
    }
  }

  /** @throws {RangeError} of a drill that is not in the evidence. */
  of(drill: Drill): string {
    const anchor = this.#ofDrill.get(drill)
    if (anchor === undefined) throw new RangeError(`the drill ${drill.id} is not in this evidence`)
    return anchor
  }

  /** Of the first drill of that id; none of a drill that was not in the run. */
  ofId(id: string): string | undefined {
    return this.#ofId.get(id)
  }
}
