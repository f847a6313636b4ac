import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { declaredDrill, declaredDrills } from './declared-drills.ts'

describe('the drills that there are', () => {
  it('are those of the README, each with an id of its own', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const listed = [...readme.matchAll(/^\| ([A-Z]\d+\w*(?:, [A-Z]\d+\w*)*) \| §/gm)].flatMap(([, ids = '']) =>
      ids.split(', '),
    )
    expect(
      declaredDrills()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(listed.toSorted())
  })

  it('each belong to a script of npm, by a tag that can be read in their files', () => {
    const without = declaredDrills().filter(
      ({ tags }) => !tags.some(tag => ['core', 'nightly', 'soak', 'live'].includes(tag)),
    )
    expect(without).toEqual([])
  })

  it('are told in the order of their ids', () => {
    const ids = declaredDrills().map(({ id }) => id)
    expect(ids.slice(0, 9)).toEqual(['L1', 'N1', 'N2', 'N3', 'N4', 'N5', 'N5h', 'N6', 'N6r'])
    expect(ids.slice(9, 15)).toEqual(['N7', 'N7f', 'N7r', 'N8', 'N9', 'N10'])
    expect(ids.slice(-6)).toEqual(['R3', 'R4', 'R5', 'R6', 'S1', 'S2'])
  })
})

describe('what a file declares', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'declared-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text)
    return path.join(folder, name)
  }

  it('is read from its text', () => {
    const file = write(
      'a.spec.ts',
      "test('x', {\n meta: { id: 'P99', runbook: '3' },\n tags: ['core', 'nightly'],\n}, run)",
    )
    expect(declaredDrill(file)).toEqual({ id: 'P99', tags: ['core', 'nightly'] })
  })

  it('may stand in part in a file beside it that it imports', () => {
    write('shared.ts', "export const drill = ({ id }) => test('x', { meta: { id }, tags: ['nightly'] }, run)")
    const file = write(
      'a.spec.ts',
      "import path from 'node:path'\nimport { drill } from './shared.ts'\ndrill({ id: 'P99z' })",
    )
    expect(declaredDrill(file)).toEqual({ id: 'P99z', tags: ['nightly'] })
  })

  it('is nothing where it is not written out', () => {
    expect(declaredDrill(write('a.spec.ts', "import './gone.ts'\ntest('x', { tags }, run)"))).toEqual({
      id: undefined,
      tags: [],
    })
  })
})
