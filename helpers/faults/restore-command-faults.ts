import type { WalSegment } from '../postgres/wal-segment.ts'
import type { CommandFault } from './archive-command-faults.ts'
import { FAIL_AT_GATE, RETRY_AT_GATE, WAIT_AT_GATE } from './command-gate.ts'

// Each lasts for as long as the gate of the restored server stands closed, and befalls one segment: what was asked for before it,
// histories too, is brought. Its repair is the gate's opening, while recovery runs.

/** The command does not end, and says nothing. */
export const hangAt = (segment: WalSegment): CommandFault => at(segment, WAIT_AT_GATE)

/** It does not end either, and says each time that it tries again, as a script does that waits for an archive to come back. */
export const retryAt = (segment: WalSegment): CommandFault => at(segment, RETRY_AT_GATE)

/** It fails as for a file that the archive does not have. PostgreSQL takes it for the archive's end, or in standby mode asks again. */
export const failAt = (segment: WalSegment): CommandFault => at(segment, FAIL_AT_GATE)

function at(segment: WalSegment, atGate: string): CommandFault {
  return command => `if test "%f" = ${segment}; then ${atGate}; fi; ${command}`
}
