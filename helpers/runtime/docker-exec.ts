import { once } from 'node:events'
import { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { waitFor } from '../wait.ts'

export interface ExecResult {
  exitStatus: number
  stdout: Buffer
  stderr: string
}

export interface Command {
  script: string
  /** Name of an operating system user of the image. */
  user: string
  stdin?: Readable | Buffer
}

/** A command that runs in a container. */
export interface RunningExec {
  /** Settles with the exit status when the command and all that holds its output open are gone. */
  readonly ended: Promise<number>
}

/**
 * Runs a shell script in a container, and returns whatever its exit status.
 * @throws what the daemon says when the container is gone; what `stdin` fails with, once the command has seen its end.
 * @throws {Failure} `deadline-passed` when the daemon does not begin it, or it does not end although it has all its input.
 */
export async function execute(container: Dockerode.Container, command: Command): Promise<ExecResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const { ended } = await startExec(container, command, {
    stdout: chunk => stdout.push(chunk),
    stderr: chunk => stderr.push(chunk),
  })
  const exitStatus = await (Buffer.isBuffer(command.stdin)
    ? waitFor(`\`${command.script}\` to end in a container`, 'containerCommand', () => ended)
    : ended)
  return { exitStatus, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
}

/**
 * A shell command that passes on what a script is given on standard input, and does not wait for its end: a connection that is
 * cut looks like it, and the daemon may lose it where it comes before the command has begun.
 * @see https://github.com/moby/moby/issues/37870
 */
export function readInput({ length }: Buffer): string {
  return `head -c ${length}`
}

/** Starts a shell script in a container and hands over its output as it comes. */
export async function startExec(
  container: Dockerode.Container,
  { script, user, stdin }: Command,
  output: { stdout: (chunk: Buffer) => unknown; stderr: (chunk: Buffer) => unknown },
): Promise<RunningExec> {
  const hasInput = stdin !== undefined
  const begin = async () => {
    const exec = await container.exec({
      Cmd: ['sh', '-c', script],
      User: user,
      AttachStdin: hasInput,
      AttachStdout: true,
      AttachStderr: true,
    })
    return { exec, stream: await exec.start({ hijack: hasInput, stdin: hasInput }) }
  }
  const { exec, stream } = await waitFor(`the daemon to begin \`${script}\``, 'containerCommand', begin)
  // Until a reader is attached nothing is lost: the stream does not flow.
  const closed = endOf(stream)
  container.modem.demuxStream(stream, { write: output.stdout } as never, { write: output.stderr } as never)
  const fed = hasInput ? feed(stdin, stream, closed) : Promise.resolve()
  const ended = finish(exec, closed, fed)
  // Whoever waits for it gets the error; who has gone away by then must not end the process by it.
  ended.catch(() => undefined)
  return { ended }
}

async function finish(exec: Dockerode.Exec, closed: Promise<void>, fed: Promise<void>): Promise<number> {
  const [end, input] = await Promise.allSettled([closed, fed])
  if (input.status === 'rejected') throw input.reason
  if (end.status === 'rejected' && !isWriteAfterEnd(end.reason)) throw end.reason
  return await exitStatusOf(exec)
}

/** A command that ends before it has read all its input: its exit status says why. */
function isWriteAfterEnd(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ECONNRESET'
}

/** The output may end a moment before the daemon has noted the exit. */
function exitStatusOf(exec: Dockerode.Exec): Promise<number> {
  return waitFor(
    'the exit status of a command in a container',
    'processGone',
    async () => (await exec.inspect()).ExitCode ?? undefined,
  )
}

function endOf(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    // `on`: a socket may report more than one error, and one without a listener would end the process.
    stream.once('end', resolve).once('close', resolve).on('error', reject)
  })
}

/** Writes no faster than the container reads, and lets the command see the end of its input whatever became of the source. */
async function feed(source: Readable | Buffer, target: NodeJS.ReadWriteStream, closed: Promise<void>): Promise<void> {
  let isOver = false
  const over = closed
    .catch(() => undefined)
    .then(() => {
      isOver = true
      // The command has ended by itself: nobody reads on.
      if (source instanceof Readable) source.destroy()
    })
  try {
    for await (const chunk of source instanceof Readable ? source : [source]) {
      // A copy: whoever reads from a socket may use the memory again for what comes next.
      if (!target.write(Buffer.from(chunk))) await Promise.race([once(target, 'drain').catch(() => undefined), over])
      if (isOver) return
    }
  } catch (error) {
    if (!isOver) throw error
  } finally {
    target.end()
  }
}
