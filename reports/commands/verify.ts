// npm run evidence:verify -- FOLDER --key FILE [--published DIGEST]…: whether a bundle is what its run left, and so are the runs
// before it. Offline. Exit status: 0 all of it holds; 1 it does not, with one sentence that says why; 2 bad input.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { loadVerifyingKey } from '../integrity/keys.ts'
import { quoted, Refusal } from '../integrity/refusal.ts'
import { EVIDENCE_FILE } from '../integrity/statement.ts'
import { ATTESTATION_FILE, SUMS_FILE } from '../integrity/sums.ts'
import { verifyChain } from '../integrity/verify-chain.ts'

const USAGE = 'npm run evidence:verify -- FOLDER --key PUBLIC-KEY-FILE [--published DIGEST]…'

await exitWith(async () => {
  const { folder, key, published } = readArguments(process.argv.slice(2))
  try {
    console.log(verifyChain(folder, loadVerifyingKey(key), published))
    return 0
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.error(error.message)
    return 1
  }
})

function readArguments(args: string[]): { folder: string; key: string; published: string[] } {
  const { positionals, key, published } = parsed(args)
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0)
    throw new CannotRun(`name one folder, that of the run to verify: ${USAGE}`)
  if (key === undefined) throw new CannotRun(`name the public key of whoever signs the runs: ${USAGE}`)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CannotRun(`${quoted(folder)} is not a folder: name that of a run, such as reports/out/latest`)
  if (!isRun(folder) && readdirSync(folder).some(name => isRun(path.join(folder, name))))
    throw new CannotRun(
      `${quoted(folder)} is a folder of runs: name one of them, such as ${path.join(folder, 'latest')}`,
    )
  return { folder, key, published: published.map(digestOf) }
}

/** Of which at least something is left. */
function isRun(folder: string): boolean {
  return [EVIDENCE_FILE, SUMS_FILE, ATTESTATION_FILE].some(name => existsSync(path.join(folder, name)))
}

function parsed(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { key: { type: 'string' }, published: { type: 'string', multiple: true } },
    })
    return { positionals, key: values.key, published: values.published ?? [] }
  } catch (cause) {
    throw new CannotRun(`${(cause as Error).message.split('. To specify')[0]}: ${USAGE}`, { cause })
  }
}

function digestOf(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new CannotRun(
      `--published ${quoted(text)} is no digest: give the SHA-256 of a run's SHA256SUMS as 64 hex digits`,
    )
  return text.toLowerCase()
}
