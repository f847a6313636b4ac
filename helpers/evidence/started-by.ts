import { spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'
import type { Evidence } from './evidence.ts'

type StartedBy = Evidence['run']['startedBy']
type Environment = Readonly<Record<string, string | undefined>>

/** How a CI says who started a job, and where the job can be looked at; the first that says either is taken. */
const CIS: readonly {
  source: string
  name: (env: Environment) => string | undefined
  url: (env: Environment) => string | undefined
}[] = [
  {
    source: 'GitHub Actions',
    name: env => env.GITHUB_ACTOR,
    url: ({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run }) =>
      server && repository && run ? `${server}/${repository}/actions/runs/${run}` : undefined,
  },
  { source: 'GitLab CI', name: env => env.GITLAB_USER_LOGIN, url: env => (env.GITLAB_CI ? env.CI_JOB_URL : undefined) },
  { source: 'Buildkite', name: env => env.BUILDKITE_BUILD_CREATOR, url: env => env.BUILDKITE_BUILD_URL },
  { source: 'CircleCI', name: env => env.CIRCLE_USERNAME, url: env => env.CIRCLE_BUILD_URL },
  {
    source: 'Jenkins',
    // The first two are of its user-vars plugin.
    name: env => env.BUILD_USER ?? env.BUILD_USER_ID,
    url: env => (env.JENKINS_URL ? env.BUILD_URL : undefined),
  },
]

/** Who started the run in the checkout at `root`: from CI where it runs there, else from git's configuration, else this system's user. */
export function startedBy(root: string): StartedBy {
  return startedByOf(process.env, { git: () => gitUser(root), system: systemUser })
}

/** As `startedBy`, of an environment. Exported for its test. */
export function startedByOf(
  env: Environment,
  { git, system }: { git: () => string | undefined; system: () => string },
): StartedBy {
  for (const ci of CIS) {
    const [name, address] = [ci.name(env), ci.url(env)]
    if (!name && !address) continue
    const url = address && withoutCredentials(address)
    // A schedule has nobody who started it.
    return { name: name || 'nobody named', source: ci.source, ...(url && { url }) }
  }
  const name = git()
  return name ? { name, source: 'git' } : { name: system(), source: 'system user' }
}

/** A CI may know its own address with a password in it. What is no address of the web is left out: nobody knows what is in it. */
function withoutCredentials(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { protocol, origin, pathname } = new URL(address)
  return ['http:', 'https:'].includes(protocol) ? `${origin}${pathname}` : undefined
}

function gitUser(root: string): string | undefined {
  const { status, stdout } = spawnSync('git', ['config', 'user.name'], { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** A container may run as a user that it has no entry for. */
function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
