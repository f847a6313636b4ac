/** What an auditor has to be told beside the verdicts, with room for what became of it. */
export interface Exception {
  /** As within the run: 'P1 failed', 'R5 not exercised', 'control-gap CC7.5', 'deviation 3.4'. */
  id: string
  kind:
    | 'failed'
    | 'unknown'
    | 'not exercised'
    | 'objective missed'
    | 'slower'
    | 'control gap'
    | 'deviation'
    | 'run problem'
  drill?: string
  sentence: string
  /** Left empty, for people to fill in a copy. */
  remediationTicket: string
  reviewer: string
}
