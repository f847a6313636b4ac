// Sweeps a run that cannot do it itself. Started by helpers/run/run.ts as a process of its own:
//   watch DIRECTORY   stays beside the run, in a session of its own; sweeps when its standard input, which the run holds
//                     open, ends. A run that ends in order sweeps itself, and then ends its janitor.
//   sweep DIRECTORY   sweeps now
import { text } from 'node:stream/consumers'
import { sweepRun } from './sweep.ts'

const [mode, directory] = process.argv.slice(2)
if ((mode !== 'watch' && mode !== 'sweep') || directory === undefined)
  throw new Error('usage: janitor.ts watch|sweep DIRECTORY')
// What ends the run must not end the one who cleans up after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
if (mode === 'watch') await text(process.stdin)
await sweepRun(directory, { workersToo: true })
