/**
 * A proof that did not hold: recovery did not reach its target, a row is missing, an alarm stayed quiet. Carries what was
 * seen as fields, so that a report and a test need not read the prose. Makes a drill `failed`; any error that is neither
 * this nor an assertion makes it `unknown`.
 */
export class Failure extends Error {
  constructor(
    /** A short name in kebab-case that stays the same when the sentence changes: `target-not-reached`, `rows-missing`. */
    readonly kind: string,
    message: string,
    /** What was seen: plain data, no secrets. */
    readonly evidence: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'Failure'
  }
}

/** The suite cannot run here: the message is one sentence that says what to do. Exit status 2, no stack trace. */
export class CannotRun extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CannotRun'
  }
}
