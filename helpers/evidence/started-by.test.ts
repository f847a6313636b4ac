import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startedBy, startedByOf } from './started-by.ts'

const of = (env: Record<string, string>, git: string | undefined = 'Ada Lovelace') =>
  startedByOf(env, { git: () => git, system: () => 'ada' })

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('who started a run', () => {
  it.each([
    [
      { GITHUB_ACTOR: 'ada', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'a/b', GITHUB_RUN_ID: '7' },
      { name: 'ada', source: 'GitHub Actions', url: 'https://github.com/a/b/actions/runs/7' },
    ],
    [
      { GITLAB_CI: 'true', GITLAB_USER_LOGIN: 'ada', CI_JOB_URL: 'https://gitlab.com/a/b/-/jobs/7' },
      { name: 'ada', source: 'GitLab CI', url: 'https://gitlab.com/a/b/-/jobs/7' },
    ],
    [
      { BUILDKITE_BUILD_CREATOR: 'Ada', BUILDKITE_BUILD_URL: 'https://buildkite.com/a/b/builds/7' },
      { name: 'Ada', source: 'Buildkite', url: 'https://buildkite.com/a/b/builds/7' },
    ],
    [
      { CIRCLE_USERNAME: 'ada', CIRCLE_BUILD_URL: 'https://circleci.com/gh/a/b/7' },
      { name: 'ada', source: 'CircleCI', url: 'https://circleci.com/gh/a/b/7' },
    ],
    [
      { JENKINS_URL: 'https://jenkins.a.b/', BUILD_USER: 'Ada', BUILD_URL: 'https://jenkins.a.b/job/x/7/' },
      { name: 'Ada', source: 'Jenkins', url: 'https://jenkins.a.b/job/x/7/' },
    ],
    [
      { GITHUB_ACTOR: 'ada', GITHUB_RUN_ID: '7' },
      { name: 'ada', source: 'GitHub Actions' },
    ],
    [
      { JENKINS_URL: 'https://jenkins.a.b/', BUILD_URL: 'https://jenkins.a.b/job/x/7/' },
      { name: 'nobody named', source: 'Jenkins', url: 'https://jenkins.a.b/job/x/7/' },
    ],
  ])('is told by CI: %j', (env, expected) => {
    expect(of(env)).toEqual(expected)
  })

  it('is told by git elsewhere, and by the system where git does not know', () => {
    expect(of({})).toEqual({ name: 'Ada Lovelace', source: 'git' })
    expect(of({ BUILD_URL: 'https://elsewhere/' })).toEqual({ name: 'Ada Lovelace', source: 'git' })
    expect(startedByOf({}, { git: () => undefined, system: () => 'ada' })).toEqual({
      name: 'ada',
      source: 'system user',
    })
    expect(of({}, '')).toEqual({ name: 'ada', source: 'system user' })
  })

  it.each([
    ['https://me:secret@ci.a.b/7', 'https://ci.a.b/7'],
    ['https://ci.a.b/7?token=secret#secret', 'https://ci.a.b/7'],
    ['me:secret@ci', undefined],
    ['secret', undefined],
  ])('is told without the credentials of an address: %s', (url, expected) => {
    const told = of({ BUILDKITE_BUILD_CREATOR: 'Ada', BUILDKITE_BUILD_URL: url })
    expect(told.url).toBe(expected)
    expect(JSON.stringify(told)).not.toContain('secret')
  })

  it('is read from the configuration of the checkout', () => {
    for (const name of Object.keys(process.env).filter(name => /^(GITHUB|GITLAB|BUILDKITE|CIRCLE|JENKINS)_/.test(name)))
      vi.stubEnv(name, undefined)
    const root = mkdtempSync(path.join(tmpdir(), 'started-'))
    const git = (...command: string[]) => execFileSync('git', command, { cwd: root })
    try {
      git('init', '--quiet')
      git('config', 'user.name', 'Grace Hopper')
      expect(startedBy(root)).toEqual({ name: 'Grace Hopper', source: 'git' })
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
