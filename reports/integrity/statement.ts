import { z } from 'zod'
import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { Refusal } from './refusal.ts'
import { ATTESTATION_FILE, SUMS_FILE } from './sums.ts'

export const EVIDENCE_FILE = 'evidence.json'

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
const PREDICATE_TYPE = 'https://in-toto.io/attestation/test-result/v0.1'

const digestSchema = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) })

// Fields that are not known here are passed over, as in-toto demands of whoever reads a statement.
const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([
    z.object({ name: z.literal(SUMS_FILE), digest: digestSchema }),
    z.object({
      name: z.literal(EVIDENCE_FILE),
      digest: digestSchema,
      annotations: z.object({ runId: z.string(), verdict: z.string(), notExercised: z.array(z.string()) }),
    }),
  ]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    result: z.enum(['PASSED', 'WARNED', 'FAILED']),
    configuration: z.array(z.object({ name: z.string(), digest: z.record(z.string(), z.string()) })),
    url: z.string().optional(),
    passedTests: z.array(z.string()),
    warnedTests: z.array(z.string()),
    failedTests: z.array(z.string()),
  }),
})
export type Statement = z.infer<typeof statementSchema>

/**
 * What is signed: a test result whose tests are the drills, by their ids. A drill that is `unknown` is among the failed, since
 * nothing was proven. One that was not exercised is in no list, for it neither passed nor failed: an annotation of the
 * evidence names it, and it does not make a run that passed anything else. No drill is ever `warned`.
 * @param digests SHA-256 as hex.
 * @see https://github.com/in-toto/attestation, spec/v1/statement.md and spec/predicates/test-result.md
 */
export function statementOf(evidence: Evidence, digests: { sums: string; evidence: string }): Statement {
  const { run } = evidence
  const failedTests = idsOf(evidence, 'failed', 'unknown')
  const isPassed = run.kind !== 'sabotage' && run.state === 'finished' && run.verdict === 'passed'
  return {
    _type: STATEMENT_TYPE,
    subject: [
      { name: SUMS_FILE, digest: { sha256: digests.sums } },
      {
        name: EVIDENCE_FILE,
        digest: { sha256: digests.evidence },
        annotations: { runId: run.id, verdict: run.verdict, notExercised: idsOf(evidence, 'not exercised') },
      },
    ],
    predicateType: PREDICATE_TYPE,
    predicate: {
      result: isPassed && failedTests.length === 0 ? 'PASSED' : 'FAILED',
      configuration: configurationOf(evidence),
      ...(run.startedBy.url !== undefined && { url: run.startedBy.url }),
      passedTests: idsOf(evidence, 'passed'),
      warnedTests: [],
      failedTests,
    },
  }
}

/** @throws {Refusal} for a payload that is no such statement. */
export function parseStatement(payload: Buffer): Statement {
  try {
    return statementSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
  } catch (cause) {
    throw new Refusal(
      `what is signed in ${ATTESTATION_FILE} is not an in-toto test result of ${SUMS_FILE} and ${EVIDENCE_FILE}`,
      { cause },
    )
  }
}

function idsOf({ drills }: Evidence, ...verdicts: Verdict[]): string[] {
  return drills.filter(({ verdict }: Drill) => verdicts.includes(verdict)).map(({ id }) => id)
}

/** What the drills ran on, as far as a digest says it. A checkout with changes has none. */
function configurationOf({ suite, runtime }: Evidence): Statement['predicate']['configuration'] {
  const { image, imageDigest, programs } = runtime
  const [, imageSha256] = /(?:^|@)sha256:([0-9a-f]{64})$/.exec(imageDigest ?? '') ?? []
  return [
    { name: 'drills/runbook.md', digest: { sha256: suite.runbookSha256 } },
    ...(/^[0-9a-f]{40}$/.test(suite.commit) ? [{ name: suite.name, digest: { gitCommit: suite.commit } }] : []),
    ...(image !== undefined && imageSha256 !== undefined ? [{ name: image, digest: { sha256: imageSha256 } }] : []),
    ...(programs ?? []).map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
  ]
}
