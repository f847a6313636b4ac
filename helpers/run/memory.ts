import { readFileSync } from 'node:fs'
import { execa } from 'execa'

/**
 * The most memory that a process has had resident at once, in bytes, so far as this machine tells; where it does not (it is
 * not Linux), what it has now.
 * @throws when there is no such process.
 * @see proc_pid_status(5), VmHWM
 */
export async function peakMemoryBytes(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes) * 1024
  }
  const { stdout } = await execa('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) * 1024
}
