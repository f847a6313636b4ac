import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Config, describeConfig, loadConfig, requiredBy, variableNames } from './config.ts'
import { ConfigMistakes, redact, secretsOf } from './environment.ts'
import { CannotRun } from './failure.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'config-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Without a file, unless one is given by its text. */
function load(environment: NodeJS.ProcessEnv = {}, fileText?: string): Config {
  const file = path.join(folder, '.env')
  rmSync(file, { force: true })
  if (fileText !== undefined) writeFileSync(file, fileText)
  return loadConfig(environment, file)
}

function mistakes(environment: NodeJS.ProcessEnv, fileText?: string): readonly string[] {
  try {
    load(environment, fileText)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error.mistakes
    throw error
  }
  return []
}

const ARCHIVE = 'test ! -f {archive}/%f && cp %p {archive}/%f'
const RESTORE = '{scripts}/restore.sh {archive}/%f %p %r'

describe('where settings come from', () => {
  test('with nothing set, every setting has its default', () => {
    expect(load()).toEqual({
      runtime: undefined,
      pgMajor: 18,
      image: 'postgres:18',
      archiveCommand: undefined,
      restoreCommand: undefined,
      scripts: undefined,
      apiCommand: undefined,
      healthUrl: 'http://127.0.0.1:{port}/health',
      rtoSeconds: undefined,
      rpoSeconds: undefined,
      keep: 'never',
      require: [],
      moments: 12,
      seed: undefined,
      secrets: [],
      variables: {},
    })
  })

  test('every variable reaches its setting', () => {
    const config = load({
      DRILL_RUNTIME: 'docker',
      DRILL_PG_MAJOR: '15',
      DRILL_IMAGE: 'registry.example:5000/pg@sha256:00',
      DRILL_ARCHIVE_COMMAND: ARCHIVE,
      DRILL_RESTORE_COMMAND: RESTORE,
      DRILL_SCRIPTS: folder,
      DRILL_API_COMMAND: 'node server.js',
      DRILL_HEALTH_URL: 'https://localhost:{port}/ready',
      DRILL_RTO_SECONDS: '900',
      DRILL_RPO_SECONDS: '0.5',
      DRILL_KEEP: 'on-failure',
      DRILL_REQUIRE: 'P1, docker,readOnlyArchive,,P13z,S1,P1',
      DRILL_MOMENTS: '500',
      DRILL_SEED: '4294967295',
    })
    expect(config).toMatchObject({
      runtime: 'docker',
      pgMajor: 15,
      image: 'registry.example:5000/pg@sha256:00',
      archiveCommand: ARCHIVE,
      restoreCommand: RESTORE,
      scripts: folder,
      apiCommand: 'node server.js',
      healthUrl: 'https://localhost:{port}/ready',
      rtoSeconds: 900,
      rpoSeconds: 0.5,
      keep: 'on-failure',
      require: ['P1', 'docker', 'readOnlyArchive', 'P13z', 'S1'],
      moments: 500,
      seed: 4_294_967_295,
    })
  })

  test('the environment wins over the file, and an empty value in it unsets', () => {
    const file = 'DRILL_KEEP=always\nDRILL_PG_MAJOR=16\nDRILL_IMAGE=postgres:16\n'
    expect(load({ DRILL_KEEP: 'never', DRILL_IMAGE: ' ' }, file)).toMatchObject({
      keep: 'never',
      pgMajor: 16,
      image: 'postgres:18',
    })
  })

  test('neither environment is changed, and the config cannot be', () => {
    const environment = { DRILL_KEEP: 'always' }
    const before = { ...process.env }
    const config = load(environment, 'DRILL_PG_MAJOR=17\nDRILL_RUN_ID=from-file\nOTHER=1\n')
    expect(environment).toEqual({ DRILL_KEEP: 'always' })
    expect({ ...process.env }).toEqual(before)
    expect([config, config.require, config.variables].every(Object.isFrozen)).toBe(true)
  })

  test('variables of others, and those that the suite sets itself, are let through', () => {
    expect(load({ PATH: '/bin', DRILL_RUN_ID: 'x', DRILL_SABOTAGE: 'skip-segment' }).variables).toEqual({})
  })

  test('a file that cannot be read is a mistake, none is not', () => {
    expect(() => loadConfig({}, folder)).toThrow(/cannot be read \(EISDIR\)/)
    expect(() => loadConfig({}, path.join(folder, 'none'))).not.toThrow()
  })

  test('a folder of scripts is made absolute', () => {
    mkdirSync(path.join(folder, 'scripts'), { recursive: true })
    const relative = path.relative(process.cwd(), path.join(folder, 'scripts'))
    expect(load({ DRILL_SCRIPTS: relative }).scripts).toBe(path.join(folder, 'scripts'))
  })
})

describe('mistakes', () => {
  test('all are told at once, in a sentence each', () => {
    const found = mistakes({
      DRILL_RUNTIME: 'podman',
      DRILL_PG_MAJOR: '14',
      DRILL_ARCHIVE_COMMAND: 'cp {scripts} {archiv}',
      DRILL_SCRIPTS: path.join(folder, 'none'),
      DRILL_HEALTH_URL: 'ftp://localhost',
      DRILL_RTO_SECONDS: '-1',
      DRILL_REQUIRE: 'p13Z,Docker,everything',
      DRILL_IAMGE: 'postgres:18',
      DRILL_SOMETHING_ELSE: '1',
    })
    expect(found).toEqual([
      "DRILL_RUNTIME is 'podman': set it to docker, embedded, or leave it out",
      "DRILL_PG_MAJOR is '14': set it to 15, 16, 17, 18, or leave it out",
      'DRILL_ARCHIVE_COMMAND does not mention %f: PostgreSQL puts the name of the WAL file there',
      'DRILL_ARCHIVE_COMMAND does not mention %p: PostgreSQL puts the path of the file on the server there',
      "DRILL_ARCHIVE_COMMAND does not mention {archive}, and would write to a place that is not the drill's own, such as production's archive: put {archive} where the archive's path stands",
      'DRILL_ARCHIVE_COMMAND holds {archiv}: only {archive} and {scripts} stand for something here',
      'DRILL_SCRIPTS is not a folder that can be read: set it to the folder of your scripts',
      'DRILL_HEALTH_URL is not an address that begins with http:// or https://: write one such as http://127.0.0.1:{port}/health',
      "DRILL_RTO_SECONDS is '-1': set it to a number of seconds that is not negative, such as 900 or 0.5",
      "DRILL_REQUIRE names 'p13Z', which cannot be required: did you mean P13z?",
      "DRILL_REQUIRE names 'Docker', which cannot be required: did you mean docker?",
      expect.stringMatching(
        /^DRILL_REQUIRE names 'everything', which cannot be required: there are the drills L1, N1, N2, .*S1, S2, and docker, readOnlyArchive, fullArchive, networkCut, clientPrograms$/,
      ),
      'DRILL_IAMGE is not a variable of the drills: did you mean DRILL_IMAGE?',
      'DRILL_SOMETHING_ELSE is not a variable of the drills: remove it, or see .env.example for those there are',
      'DRILL_HEALTH_URL is set without an application that could answer there: set DRILL_API_COMMAND to what starts it',
    ])
  })

  test('they are what keeps the suite from running', () => {
    expect(() => load({ DRILL_KEEP: 'sometimes' })).toThrow(CannotRun)
    expect(() => load({ DRILL_KEEP: 'sometimes' })).toThrow(/^DRILL_KEEP is 'sometimes': /)
  })

  test('scripts in a command need a folder of scripts', () => {
    const command = '{scripts}/a.sh %p {archive}/%f'
    expect(mistakes({ DRILL_ARCHIVE_COMMAND: command, DRILL_SCRIPTS: folder })).toEqual([])
    expect(mistakes({ DRILL_ARCHIVE_COMMAND: command, DRILL_RESTORE_COMMAND: command })).toEqual([
      expect.stringMatching(/^DRILL_ARCHIVE_COMMAND holds \{scripts\}.* set DRILL_SCRIPTS/),
      expect.stringMatching(/^DRILL_RESTORE_COMMAND holds \{scripts\}.* set DRILL_SCRIPTS/),
    ])
  })

  test.each([
    ['a doubled percent sign is no placeholder', 'cp %p {archive}/%%f', 1],
    [`the shell's own braces are left alone`, 'cp %p {archive}/$' + '{TARGET}/%f{,.bak}', 0],
    ['a line break would end the setting', 'cp %p {archive}/\n%f', 1],
    ['a file is not a folder', undefined, 1],
  ])('%s', (_, command, count) => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    expect(mistakes(command ? { DRILL_ARCHIVE_COMMAND: command } : { DRILL_SCRIPTS: file })).toHaveLength(count)
  })

  test('Docker cannot be required where embedded servers are forced', () => {
    const require = 'P1, docker'
    expect(mistakes({ DRILL_REQUIRE: require, DRILL_RUNTIME: 'docker' })).toEqual([])
    expect(mistakes({ DRILL_REQUIRE: require, DRILL_RUNTIME: 'embedded' })).toEqual([
      'DRILL_REQUIRE names docker, and DRILL_RUNTIME is embedded: take out one of the two',
    ])
  })

  test('an id that no drill has is told, with those that there are', () => {
    expect(mistakes({ DRILL_REQUIRE: 'P1,P99' })).toEqual([
      expect.stringMatching(
        /^DRILL_REQUIRE names 'P99', which cannot be required: there are the drills L1, N1, N2, N3, /,
      ),
    ])
  })

  test.each([
    ['written to', 'DRILL_ARCHIVE_COMMAND', 'cp %p /var/lib/production/archive/%f', 'write to'],
    ['read', 'DRILL_RESTORE_COMMAND', 'cp /var/lib/production/archive/%f %p', 'read from'],
    ['hidden in a script', 'DRILL_ARCHIVE_COMMAND', '{scripts}/archive.sh %p %f', 'write to'],
    [`meant by the shell's variable of that name`, 'DRILL_ARCHIVE_COMMAND', 'cp %p $' + '{archive}/%f', 'write to'],
  ])("an archive that is not the drill's own is refused, here %s", (_, name, command, what) => {
    expect(mistakes({ [name]: command, DRILL_SCRIPTS: folder })).toEqual([
      `${name} does not mention {archive}, and would ${what} a place that is not the drill's own, such as production's archive: put {archive} where the archive's path stands`,
    ])
  })

  test.each([
    ['DRILL_ARCHIVE_COMMAND', 'cp %p {archive}/%f && date +%s', "'%s'", '%f and %p'],
    ['DRILL_ARCHIVE_COMMAND', 'cp %p {archive}/%f; echo %r', "'%r'", '%f and %p'],
    ['DRILL_ARCHIVE_COMMAND', 'cp %p {archive}/%f; echo 5 % 3 %%% 2', "'% '", '%f and %p'],
    ['DRILL_RESTORE_COMMAND', 'date +%d.%m %r; cp {archive}/%f %p', "'%d', '%m'", '%f, %p and %r'],
    ['DRILL_RESTORE_COMMAND', 'cp {archive}/%f %p; echo 100%', "'%'", '%f, %p and %r'],
  ])('what stands for nothing to PostgreSQL is refused: %s=%s', (name, command, found, known) => {
    expect(mistakes({ [name]: command })).toEqual([
      `${name} holds ${found}, which PostgreSQL refuses from 16 on: only ${known} stand for something there, and a percent sign is written %%`,
    ])
    // Doubled, as the sentence says, each of them is right.
    const doubled = command.replaceAll(/%%?(?![fp]|r; cp)/g, '%%')
    expect(mistakes({ [name]: doubled })).toEqual([])
  })

  test('a percent sign of a secret is not quoted', () => {
    expect(mistakes({ DRILL_ARCHIVE_COMMAND: 'push https://me:a%zb@store {archive}/%f %p' })).toEqual([
      expect.stringMatching(
        /^DRILL_ARCHIVE_COMMAND holds a percent sign in what is hidden here, which PostgreSQL refuses/,
      ),
    ])
  })

  test.each(['http://', 'localhost:{port}', 'http://{host}:{port}/'])('%s is not where an application answers', url => {
    expect(mistakes({ DRILL_API_COMMAND: 'x', DRILL_HEALTH_URL: url })).toHaveLength(1)
  })

  test.each([
    { DRILL_MOMENTS: '0' },
    { DRILL_MOMENTS: '1.5' },
    { DRILL_MOMENTS: '1e2' },
    { DRILL_SEED: '-1' },
    { DRILL_SEED: '4294967296' },
  ])('%j is not a whole number that is meant there', environment => {
    expect(mistakes(environment)).toEqual([expect.stringMatching(/^DRILL_\w+ is '.*': set it to a whole number from/)])
  })

  test('an unknown variable in the file is found as well', () => {
    expect(mistakes({}, 'DRILL_KEPP=always\nOTHER=1\n')).toEqual([
      'DRILL_KEPP is not a variable of the drills: did you mean DRILL_KEEP?',
    ])
  })

  test('seconds are read as written, and nothing that is not a plain number is', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e20, noNaN: true }), value => {
        expect(load({ DRILL_RTO_SECONDS: String(value) }).rtoSeconds).toBe(value)
      }),
      { numRuns: 50 },
    )
    for (const text of ['NaN', 'Infinity', '-0.1', '0x10', '1e3', '5s', '1,5', '9'.repeat(400)]) {
      expect(mistakes({ DRILL_RPO_SECONDS: text }), text).toHaveLength(1)
    }
  })

  test('whatever is set, the answer is a config or mistakes that name a variable that was set', () => {
    const name = fc.oneof(fc.constantFrom(...variableNames), fc.stringMatching(/^DRILL_[A-Z]{1,12}$/))
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('docker', '17', '%f %p', '{scripts} %p %f', 'P1,docker', '0', 'always'),
    )
    fc.assert(
      fc.property(fc.dictionary(name, value), environment => {
        for (const mistake of mistakes(environment))
          expect(Object.keys(environment)).toContain(/^DRILL_[A-Z_]+/.exec(mistake)?.[0])
      }),
    )
  })
})

describe('a # in the file', () => {
  test.each([
    ['right behind the value', 'DRILL_IMAGE=pg#18'],
    ['in a command, behind a space', `DRILL_API_COMMAND=node server.js # mine`],
    ['in quotes that do not enclose the whole value', `DRILL_API_COMMAND=sh -c 'echo "#"'`],
    ['behind quotes that are not closed', 'DRILL_API_COMMAND="node #1'],
  ])('that cuts off a value is a mistake: %s', (_, line) => {
    expect(mistakes({}, `${line}\nDRILL_KEEP=never\n`)).toEqual([
      expect.stringMatching(/^DRILL_\w+ is cut off at an unquoted #.*quotes/),
    ])
  })

  test.each([
    ['a comment behind a value', 'DRILL_KEEP=always # for now'],
    ['a comment behind a quoted command', `DRILL_API_COMMAND="node server.js" # it's mine`],
    ['a # in quotes', "DRILL_API_COMMAND='node #1'"],
    ['a comment in place of a value', 'DRILL_API_COMMAND= # none yet'],
    ['a line that is a comment', '#DRILL_KEEP=alw#ays'],
    ['a variable of somebody else', 'COLOUR=red#1'],
  ])('that cuts off nothing of ours is none: %s', (_, line) => {
    expect(mistakes({}, `DRILL_PG_MAJOR=17\n${line}\n# don't\n`)).toEqual([])
  })

  test('what was cut off is not missed a second time, and does not matter where the environment has a value', () => {
    expect(mistakes({}, 'DRILL_ARCHIVE_COMMAND=cp %p "{archive}/a#b/%f"\n')).toHaveLength(1)
    expect(load({ DRILL_IMAGE: 'mine' }, 'DRILL_IMAGE=pg#18\n').image).toBe('mine')
  })

  test('in quotes, any value is read as it was written', () => {
    const value = fc.stringMatching(/^[ -&(-~]+$/).filter(text => text.trim() !== '' && !text.includes('\\'))
    fc.assert(
      fc.property(value, text => {
        expect(load({}, `DRILL_API_COMMAND='${text}'\n`).apiCommand).toBe(text.trim())
      }),
    )
  })
})

describe('secrets', () => {
  const HARDLY = 'Zq9'
  /** A password that is known again in part: it begins and ends with what nothing else holds. */
  const password = fc
    .string({ unit: fc.constantFrom(...`aB3-_=:/@?&;|%$!#.,'" \\(){}`), maxLength: 20 })
    .map(middle => HARDLY + middle + HARDLY)
  const single = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const double = (text: string) => `"${text.replaceAll(/["\\$`]/g, '\\$&')}"`
  const places: Record<string, (secret: string) => string> = {
    'a URL': secret => `pg_dump postgresql://drill:${encodeURIComponent(secret)}@db.example:5432/app?sslmode=require`,
    'a URL, not encoded': secret => `"postgresql://drill:${secret.replaceAll(/\s/g, '')}@db.example/app" x`,
    'a URL without a user': secret => `git clone https://${encodeURIComponent(secret)}@example.org/x`,
    'the parameter of a URL': secret =>
      `postgresql://db.example/app?user=me&password=${encodeURIComponent(secret)}&sslmode=require`,
    'an assignment in single quotes': secret => `PGPASSWORD=${single(secret)} cp %p x`,
    'an assignment in double quotes': secret => `export AWS_SECRET_ACCESS_KEY=${double(secret)}; cp %p x`,
    'an assignment in a quoted script': secret => `sh -c ${single(`SOME_TOKEN=${double(secret)} cp %p x`)}`,
    'an assignment in a script quoted twice': secret => `sh -c ${double(`SOME_TOKEN=${single(secret)} cp %p x`)}`,
    'an option with =': secret => `pgbackrest --repo1-cipher-pass=${single(secret)} archive-push %p`,
    'an option with a space': secret => `tool --api-key ${double(secret)} '--token' ${single(secret)} %p`,
    'a header': secret => `curl -H ${double(`Authorization: Bearer ${secret}`)} -T %p https://example.org`,
    JSON: secret => `curl -d ${single(JSON.stringify({ "user's password": secret }))} https://example.org`,
    'a conninfo string': secret => `host=x password = '${secret.replaceAll(/['\\]/g, '\\$&')}' user=y`,
  }

  test.each(Object.keys(places))('none survives in %s', place => {
    fc.assert(
      fc.property(password, secret => {
        const text = places[place]?.(secret) ?? ''
        expect(text).toContain(HARDLY)
        expect(redact(text)).not.toContain(HARDLY)
      }),
      { numRuns: 500 },
    )
  })

  test('none survives in a config that is shown or in a mistake about it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...variableNames),
        fc.constantFrom(...Object.keys(places)),
        password,
        (name, place, secret) => {
          const environment = { [name]: places[place]?.(secret) ?? '' }
          expect(mistakes(environment).join()).not.toContain(HARDLY)
          const config = { ...load(), variables: environment }
          expect(JSON.stringify(describeConfig(config))).not.toContain(HARDLY)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a config is shown as it was set, wherever it was set', () => {
    const config = load({ DRILL_KEEP: 'always' }, 'DRILL_API_COMMAND=TOKEN=x node server.js\n')
    expect(describeConfig(config)).toEqual({ DRILL_KEEP: 'always', DRILL_API_COMMAND: 'TOKEN=*** node server.js' })
  })
})

describe('.env.example', () => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  const uncommented = text.replaceAll(/^# (?=DRILL_)/gm, '')

  test('lists every variable, each with a line on what it does, and sets none', () => {
    expect([...text.matchAll(/^# .+\n# (DRILL_\w+)=/gm)].map(match => match[1])).toEqual(variableNames)
    expect(load({}, text).variables).toEqual({})
  })

  test('states the defaults that count', () => {
    const defaults = load({ DRILL_API_COMMAND: 'x' })
    expect({ ...load({ DRILL_API_COMMAND: 'x' }, uncommented), variables: {} }).toEqual({ ...defaults, variables: {} })
  })
})

test('what is required is told apart: drills from what a runtime can do', () => {
  const config = load({ DRILL_REQUIRE: 'docker,P1,networkCut,P13z' })
  expect(requiredBy(config)).toEqual({ drills: ['P1', 'P13z'], capabilities: ['networkCut'] })
})

describe('secrets', () => {
  const names = { DRILL_SECRETS: 'VAULT_TOKEN, OTHER' }

  test('are the values of the variables that DRILL_SECRETS names, from the environment and the file', () => {
    const config = load({ ...names, VAULT_TOKEN: 'from the environment' }, 'OTHER=from-file\n')
    expect([...config.secrets].sort()).toEqual(['from the environment', 'from-file'])
    expect(secretsOf(config)).toEqual(expect.arrayContaining([...config.secrets]))
  })

  test('that are not set, or too short to be hidden, are mistakes', () => {
    expect(mistakes({ DRILL_SECRETS: 'VAULT_TOKEN,OTHER,hunter2', OTHER: 'abc' })).toEqual([
      'DRILL_SECRETS names VAULT_TOKEN, which is not a variable that is set: list names of variables there, never their values',
      expect.stringMatching(/^DRILL_SECRETS names OTHER, whose value has fewer than 4 characters/),
      expect.stringMatching(/^DRILL_SECRETS names something \(number 3 of the list\)/),
    ])
  })

  test('are what libpq takes for a password, which scripts of the user may repeat', () => {
    const environment = { PGPASSWORD: 'pg-pass', DATABASE_URL: 'postgres://me:url-pass@host/db' }
    expect(load(environment).secrets).toEqual(expect.arrayContaining(['pg-pass', 'url-pass']))
  })

  test('are the signing key, or what the file of it holds', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIcanary\n-----END PRIVATE KEY-----\n'
    const file = path.join(folder, 'key.pem')
    writeFileSync(file, key)
    const body = 'MC4CAQAwBQYDK2VwBCIEIcanary'
    expect(load({ DRILL_SIGNING_KEY: key }).secrets).toContain(body)
    expect(load({ DRILL_SIGNING_KEY: file }).secrets).toContain(body)
    expect(JSON.stringify(describeConfig(load({ DRILL_SIGNING_KEY: key })))).not.toContain(body)
  })
})
