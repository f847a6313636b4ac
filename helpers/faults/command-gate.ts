import { Failure } from '../failure.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'

const GATE = 'drill-gate'
const REACHED = 'drill-gate-reached'

/** For the shell that runs a server's command, in the data directory: waits as long as the gate stands closed. */
export const WAIT_AT_GATE = `if test -p ${GATE}; then echo > ${REACHED}; read -r line < ${GATE}; fi`

/** Likewise, but it looks again and again, and says so. Nobody need be let through: the gate is removed. */
export const RETRY_AT_GATE = `while test -p ${GATE}; do echo > ${REACHED}; echo "drill: %f cannot be reached, trying again" >&2; sleep 0.1; done`

/** Likewise, but it does not wait. */
export const FAIL_AT_GATE = `if test -p ${GATE}; then echo > ${REACHED}; exit 1; fi`

/** A restore_command that waits at the gate in the middle of a segment: half of it stands where the server wants it. */
export function gateAt(segment: WalSegment, { archive, command }: { archive: string; command: string }): string {
  return `if test "%f" = ${segment} && test -p ${GATE}; then head -c ${segment.sizeBytes / 2} "${archive}/%f" > "%p"; ${WAIT_AT_GATE}; fi; ${command}`
}

/** Holds a command of a restored server for as long as a drill wants. Its shell sleeps in the kernel: nothing is polled. */
export class CommandGate {
  private constructor(private readonly node: PostgresNode) {}

  /** Of a server that is restored and not yet started. */
  static async close(node: PostgresNode): Promise<CommandGate> {
    await node.exec(`mkfifo '${node.data.path}/${GATE}'`)
    return new CommandGate(node)
  }

  /** @throws {Failure} `gate-not-reached` when the server ends before, `deadline-passed` when it takes too long. */
  async untilReached(): Promise<void> {
    const { node } = this
    await waitFor(`a command of ${node.name} to come to the gate`, 'gateReached', async () => {
      const isReached = await node.data.read(REACHED).then(
        () => true,
        () => undefined,
      )
      if (!isReached && !node.isRunning)
        throw new Failure(
          'gate-not-reached',
          `${node.name} ended before its command came to the gate:\n${node.log.tail(node.startMark)}`,
        )
      return isReached
    })
  }

  /**
   * Lets the command go on that waits, and every later one. The gate is gone before anybody is let through: the next command to
   * come would otherwise find it, and nobody to let it through. Opened to read as well: to write alone it would wait for one to come.
   * @see Linux manual, fifo(7)
   */
  async open(): Promise<void> {
    await this.node.exec(`cd '${this.node.data.path}' && exec 3<> ${GATE} && rm ${GATE} && echo >&3`)
  }

  /** Where nobody waits at it: the command that waited was killed, or it only looks whether it stands. */
  async remove(): Promise<void> {
    await this.node.exec(`rm '${this.node.data.path}/${GATE}'`)
  }
}
