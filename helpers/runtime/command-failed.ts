import { Failure } from '../failure.ts'

/** What came of a command that did not exit with 0. */
interface FailedCommand {
  script: string
  exitStatus: number | string
  output: string
}

/** @param secret never shown, whether it stands in the script or in what the command said. */
export function commandFailed(where: string, { script, exitStatus, output }: FailedCommand, secret?: string): Failure {
  const hide = (text: string) => (secret ? text.replaceAll(secret, '***') : text)
  const evidence = { script: hide(script), exitStatus, stderr: hide(output.trim()) }
  return new Failure(
    'command-failed',
    `${where}, \`${evidence.script}\` ended with ${exitStatus}: ${evidence.stderr}`,
    evidence,
  )
}
