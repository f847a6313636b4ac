/** What is read into memory as a whole is no larger, so that a bundle of somebody else's cannot exhaust it. */
export const LARGEST_BYTES = { sums: 2 ** 24, attestation: 2 ** 24, evidence: 2 ** 28 } as const
