import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The layers, and what each may import besides itself: folders, and files. */
const LAYERS: Record<string, readonly string[]> = {
  // What npm scripts start puts the parts together: it alone knows drills and reports.
  'drills/commands': ['fixtures/', 'helpers/', 'reports/'],
  drills: ['fixtures/', 'helpers/'],
  fixtures: ['helpers/'],
  helpers: [],
  // A process is told from another in one way only, whether it owns a server or a history.
  reports: [
    'helpers/evidence/',
    'helpers/config.ts',
    'helpers/exit-with.ts',
    'helpers/failure.ts',
    'helpers/run/identity.ts',
  ],
}

/** Every module that a source names: imports, exports from, import types, dynamic imports, `require`, augmented modules. */
function importsOf(file: string, source: string): string[] {
  const found: string[] = []
  const note = (node: ts.Node | undefined) => {
    if (node && ts.isStringLiteralLike(node)) found.push(node.text)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) note(node.moduleSpecifier)
    else if (ts.isModuleDeclaration(node)) note(node.name)
    else if (ts.isExternalModuleReference(node)) note(node.expression)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) note(node.argument.literal)
    else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')
    )
      note(node.arguments[0])
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
  return found
}

/** What is wrong with one module that `file` names; both relative to the root, with `/`. */
function wrongWay(file: string, module: string): string | undefined {
  const layer = Object.keys(LAYERS).find(one => file.startsWith(`${one}/`)) ?? ''
  if (!module.startsWith('.')) {
    const isVitest = /^(@vitest\/|vitest(\/|$))/.test(module)
    return layer === 'helpers' && isVitest && !file.endsWith('.test.ts')
      ? `${file} imports ${module}: helpers know nothing of vitest`
      : undefined
  }
  const target = path.posix.join(path.posix.dirname(file), module)
  const allowed = [`${layer}/`, ...(LAYERS[layer] ?? [])]
  const isAllowed = allowed.some(one => (one.endsWith('/') ? target.startsWith(one) : target === one))
  return isAllowed ? undefined : `${file} imports ${target}: ${layer} may import ${allowed.join(', ')} only`
}

function wrongImports(file: string, source: string): string[] {
  return importsOf(file, source).flatMap(module => wrongWay(file, module) ?? [])
}

function sourcesOf(layer: string): string[] {
  return readdirSync(path.join(ROOT, layer), { recursive: true, encoding: 'utf8' })
    .map(file => path.posix.join(layer, file.replaceAll(path.sep, '/')))
    .filter(
      file => /\.[cm]?[jt]sx?$/.test(file) && !file.includes('/node_modules/') && !file.startsWith('reports/out/'),
    )
}

describe('the layers', () => {
  test.each(Object.keys(LAYERS))('%s imports nothing that stands above it', layer => {
    const files = sourcesOf(layer)
    expect(files.length).toBeGreaterThan(0)
    expect(files.flatMap(file => wrongImports(file, readFileSync(path.join(ROOT, file), 'utf8')))).toEqual([])
  })
})

describe('a wrong import is found', () => {
  test.each([
    ['helpers/wait.ts', "import { test } from '../fixtures/drill.ts'"],
    ['helpers/wait.test.ts', "import '../drills/recovery/p1.spec.ts'"],
    ['helpers/run/run.ts', "export * from '../../reports/reporter.ts'"],
    ['helpers/run/run.ts', "export { test } from 'vitest'"],
    ['helpers/run/run.ts', "import type { TestContext } from 'vitest/node'"],
    ['helpers/run/run.ts', "declare module 'vitest' { interface ProvidedContext {} }\nexport {}"],
    ['helpers/run/run.ts', "import { expect } from '@vitest/expect'"],
    ['fixtures/drill.ts', "const load = async () => { await import('../drills/recovery/p1.spec.ts') }"],
    ['fixtures/drill.ts', 'const load = () => import(`../reports/reporter.ts`)'],
    ['fixtures/drill.ts', "type Reporter = import('../reports/reporter.ts').Reporter"],
    ['fixtures/drill.ts', "import reporter = require('../reports/reporter.ts')"],
    ['fixtures/drill.mjs', "const reporter = require('../reports/reporter.ts')"],
    ['drills/recovery/p1.spec.ts', "import { reporter } from '../../reports/reporter.ts'"],
    ['reports/reporter.ts', "import { test } from '../fixtures/drill.ts'"],
    ['reports/commands/schema.ts', "import { Lsn } from '../../helpers/postgres/lsn.ts'"],
    ['reports/reporter.ts', "import { x } from '../helpers/config.other.ts'"],
    ['reports/reporter.ts', "import x from '../vitest.config.ts'"],
  ])('in %s: %s', (file, source) => {
    expect(wrongImports(file, source)).toHaveLength(1)
  })

  test('and named', () => {
    expect(wrongImports('fixtures/drill.ts', "import 'node:fs'\nimport '../reports/reporter.ts'")).toEqual([
      'fixtures/drill.ts imports reports/reporter.ts: fixtures may import fixtures/, helpers/ only',
    ])
  })
})

describe('a right import is not', () => {
  test.each([
    [
      'drills/recovery/p1.spec.ts',
      "import { test } from '../../fixtures/drill.ts'\nimport { Lsn } from '../../helpers/postgres/lsn.ts'",
    ],
    [
      'fixtures/drill.ts',
      "import { test } from 'vitest'\nimport { Lsn } from '../helpers/postgres/lsn.ts'\nimport './run.ts'",
    ],
    ['helpers/wait.test.ts', "import { test } from 'vitest'\nimport './wait.ts'"],
    ['helpers/run/run.ts', "import { Lsn } from '../postgres/lsn.ts'\nimport pg from 'pg'"],
    [
      'reports/commands/schema.ts',
      "import { x } from '../../helpers/evidence/evidence.ts'\nimport { y } from '../../helpers/config.ts'",
    ],
    [
      'reports/reporter.ts',
      "import { CannotRun } from '../helpers/failure.ts'\nimport './bundle.ts'\nimport 'vitest/node'",
    ],
    ['helpers/wait.ts', "// import '../fixtures/drill.ts'\nexport const text = \"import '../fixtures/drill.ts'\""],
  ])('in %s', (file, source) => {
    expect(wrongImports(file, source)).toEqual([])
  })
})
