/** Runs a command's body; what it returns is the exit status. A `CannotRun` is one sentence and status 2, without a stack:
 * known by its name, since what vitest loads has a class of its own. */
export async function exitWith(body: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await body()
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'CannotRun') throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  }
}
