/** A step of the runbook. */
export interface RunbookStep {
  /** '3', with its heading. */
  section: string
  heading: string
  /** '3.4': the section's fourth step. */
  step: string
  /** In the runbook's own words, on one line. */
  text: string
}

interface Block {
  kind: 'numbered' | 'bullet' | 'command' | 'paragraph'
  /** As it stands there, else none. */
  number?: string
  text: string
}

/**
 * The steps of a runbook, whose sections are headed `## 1) Verify …`. A section's steps are its numbered items, which keep their
 * numbers, with what is said and run below them. Where it has none, what it lists is counted, and what is said besides; where it
 * lists nothing either, its commands are counted, too. What leads up to a list is no step.
 */
export function readRunbook(markdown: string): RunbookStep[] {
  return markdown.split(/^(?=## )/m).flatMap(part => {
    const [, section, heading = ''] = /^## (\d+)\) (.+)/.exec(part) ?? []
    if (section === undefined) return []
    return stepsAmong(blocksOf(part)).map(({ number, text }, index) => ({
      section,
      heading,
      step: `${section}.${number ?? index + 1}`,
      text: text.replace(/:$/, ''),
    }))
  })
}

function stepsAmong(blocks: readonly Block[]): readonly Block[] {
  const numbered = blocks.filter(({ kind }) => kind === 'numbered')
  if (numbered.length > 0) return numbered
  const isList = blocks.some(({ kind }) => kind === 'bullet')
  return blocks.filter(({ kind, text }) => (kind === 'command' ? !isList : !text.endsWith(':')))
}

/** Bullets below a numbered item belong to its text. */
function blocksOf(part: string): Block[] {
  const blocks: Block[] = []
  let open: Block | undefined
  let command: string[] | undefined
  const begin = (block: Block) => {
    open = block
    blocks.push(block)
  }
  for (const line of part.split('\n').slice(1)) {
    const text = line.trim()
    if (text.startsWith('```')) {
      if (command) blocks.push({ kind: 'command', text: essence(command.join(' ')) })
      command = command ? undefined : []
      open = undefined
    } else if (command) command.push(text.replace(/ ?\\$/, ''))
    else if (text === '') open = undefined
    else if (/^\d+\. /.test(line)) {
      const [, number = '', said = ''] = /^(\d+)\. (.*)/.exec(line) ?? []
      begin({ kind: 'numbered', number, text: said })
    } else if (/^\s+- /.test(line) && open?.kind === 'numbered') open.text += ` ${text.slice(2)}`
    else if (text.startsWith('- ')) begin({ kind: 'bullet', text: text.slice(2) })
    else if (open) open.text += ` ${text}`
    else begin({ kind: 'paragraph', text })
  }
  return blocks
}

/** What psql is told, where it is psql that is run: how to reach it is not the step. */
function essence(command: string): string {
  return /\bpsql\b.* -c "([^"]*)"$/.exec(command)?.[1]?.trim() ?? command
}
