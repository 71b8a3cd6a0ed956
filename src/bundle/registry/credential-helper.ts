import { SlipwayError } from '../../lib/errors.ts'
import { parseJson } from '../../lib/parse-json.ts'

/** What Docker knows of a user at a registry. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** A token that buys others (OAuth 2 refresh token). */
  | { readonly identityToken: string }

/**
 * Asks Docker's credential helper of a name (the program `docker-credential-<name>`, by its own protocol: the server on
 * standard input, JSON on standard output). Undefined where it knows none. Throws `credential-helper-failed`.
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`
  const fail = (reason: string, cause?: unknown): SlipwayError =>
    new SlipwayError(
      'credential-helper-failed',
      `${program}, which Docker's config.json names for ${server}, ${reason}; install it, or take it out of config.json and \`docker login\` again.`,
      { cause },
    )
  if (!/^[\w.-]+$/.test(name)) throw fail('is no name of a program')
  // Few registries need a helper, and no command is to wait while a hundred modules are loaded for it.
  const { execa } = await import('execa')
  const answer = await execa(program, ['get'], {
    input: server,
    env,
    extendEnv: false,
    reject: false,
    timeout: 30_000,
    maxBuffer: 65_536,
  })
  if (answer.failed) {
    if (/credentials not found/i.test(`${answer.stdout}${answer.stderr}`)) return undefined
    throw fail(answer.exitCode === undefined ? 'cannot be run' : `ended with ${answer.exitCode}`, answer)
  }
  const said = parseJson(answer.stdout) as { Username?: unknown; Secret?: unknown } | null | undefined
  const { Username, Secret } = said ?? {}
  if (typeof Username !== 'string' || typeof Secret !== 'string') throw fail('gave no user name and secret')
  return Username === '<token>' ? { identityToken: Secret } : { username: Username, password: Secret }
}
