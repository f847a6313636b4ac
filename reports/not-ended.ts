import { escaped } from './junit.ts'

/** `index.html` of a run from its first moment: whoever opens it must not take a run that was killed for one that passed. */
export function notEndedHtml({ id, startedAt }: { id: string; startedAt: string }): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Not ended: ${escaped(id)}</title>
<h1>This run has not ended</h1>
<p>The run ${escaped(id)} began at ${escaped(startedAt)}. Either it is still running, or it was killed: it has proven nothing. The next run in
this checkout that has the same history completes what it left.</p>
</html>
`
}
