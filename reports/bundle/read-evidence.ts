import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { readBounded } from '../integrity/files.ts'
import { LARGEST_BYTES } from '../integrity/limits.ts'
import { EVIDENCE_FILE } from '../integrity/statement.ts'

/** The evidence in a run's folder, whether it is sealed or not: nobody vouches for it.
 * @throws {CannotRun} when there is none, or it is not of this version of the suite. */
export function readEvidence(directory: string): Evidence {
  const file = path.join(directory, EVIDENCE_FILE)
  try {
    return evidenceSchema.parse(
      JSON.parse(readBounded(directory, EVIDENCE_FILE, LARGEST_BYTES.evidence).toString('utf8')),
    )
  } catch (cause) {
    throw new CannotRun(
      existsSync(file)
        ? `${file} is not evidence that this version of the suite can read: build its reports with the version that made it`
        : `there is no evidence in ${directory}: name the folder of a run, such as reports/out/latest`,
      { cause },
    )
  }
}
