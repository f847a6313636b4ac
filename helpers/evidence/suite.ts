import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Evidence } from './evidence.ts'

const packageSchema = z.object({ name: z.string(), version: z.string() })

/** The suite at `root`, the folder of its `package.json`. The commit is `unknown` where `root` is not a checkout's top. */
export function readSuite(root: string): Evidence['suite'] {
  const { name, version } = packageSchema.parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')))
  const runbook = readFileSync(path.join(root, 'drills/runbook.md'))
  return { name, version, commit: commitOf(root), runbookSha256: createHash('sha256').update(runbook).digest('hex') }
}

function commitOf(root: string): string {
  const top = git(root, 'rev-parse', '--show-toplevel')
  // An unpacked copy below somebody else's checkout has that one's commit, not ours.
  if (top === undefined || realpathSync(top) !== realpathSync(root)) return 'unknown'
  const commit = git(root, 'rev-parse', '--verify', 'HEAD')
  const changes = git(root, 'status', '--porcelain')
  if (commit === undefined || changes === undefined) return 'unknown'
  return changes === '' ? commit : `${commit}-dirty`
}

function git(root: string, ...command: string[]): string | undefined {
  // Inside a git hook these variables name the repository that the hook belongs to.
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...env } = process.env
  const { status, stdout } = spawnSync('git', ['--no-optional-locks', ...command], { cwd: root, env, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
