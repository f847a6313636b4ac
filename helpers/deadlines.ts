/** How long each awaited event may take, in milliseconds. One place; named by the event, never by the caller. */
export const deadlinesMs = {
  /** A server process is up and takes connections. */
  serverReady: 30_000,
  /** A fast shutdown: after it the server is stopped the immediate way. */
  fastShutdown: 10_000,
  /** An immediate shutdown: after it the server is killed. */
  immediateShutdown: 5_000,
  /** A killed process is gone. */
  processGone: 5_000,
  /** Of the processes of a server, or of a run, none is left. */
  markedGone: 15_000,
  /** A line that a server has written to its log has come from there. */
  logLine: 10_000,
  /** A segment that the server has switched away from stands in the archive. */
  segmentArchived: 30_000,
  /** Recovery has come to its end: paused at the target, promoted, or refused. */
  recoveryEnd: 120_000,
  /** The same of a backup of the user: of a size that nobody knows, on disks that nobody knows. */
  ownRecoveryEnd: 86_400_000,
  /** A recovering server has answered the last look at it: after it the look is given up. */
  recoverySample: 2_000,
  /** A recovering server has run the command that a drill holds back. */
  gateReached: 30_000,
  /** A promoted server accepts writes. */
  promotion: 30_000,
  /** An application process answers on its port. */
  applicationListening: 20_000,
  /** An application process that was asked to end has ended: after it, it is killed. */
  applicationStopped: 5_000,
  /** One request to `/health` has been answered, with whatever. */
  healthAnswer: 5_000,
  /** A job given to the API has been taken or refused. */
  jobAnswer: 10_000,
  /** The workload has made the commits that were asked of it. */
  traffic: 60_000,
  /** `/health` gives the answer that is expected of it. */
  health: 30_000,
  /** The user's own command that waits for the application's health has ended. */
  healthCommand: 600_000,
  /** The application's roles have no backend left. */
  fence: 10_000,
  /** An escalation signal has taken the state that is expected of it, its window not counted. */
  signal: 10_000,
  /** A psql process that was asked to end has ended: after it, it is killed. */
  psqlEnded: 5_000,
  /** A program of Docker's has said which version it is. */
  composeVersion: 20_000,
  /** A Docker daemon has answered that it is there. */
  daemonAnswer: 2_000,
  /** A Docker daemon has begun a command in a container; one that is given all its input at once has ended, too. */
  containerCommand: 30_000,
  /** A command of the user's has listed an archive, or has given one file of it. */
  userCommand: 60_000,
  /** The user's restore_command has fetched one file, from wherever that lies, or has said that there is none. */
  walFetch: 600_000,
  /** The registry has answered, through the Docker daemon, whether it has an image. */
  registryAnswer: 3_000,
  /** An interrupted run has cleaned up in order: after it the process ends and the rest is swept. */
  interruptedRun: 15_000,
  /** All that a run owns has been ended and removed by a process of its own. */
  sweep: 60_000,
  /** A lock that a check of a restored server needs is no longer held by somebody else. */
  checkLock: 5_000,
  /** Something has been looked at that is about to be removed: after it, that goes unseen. */
  lastLook: 5_000,
  /** One clean-up of one thing. */
  cleanup: 20_000,
} as const

export type Deadline = keyof typeof deadlinesMs
