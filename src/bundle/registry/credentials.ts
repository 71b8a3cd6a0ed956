import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { badInput, errorCode } from '../../lib/errors.ts'
import { askCredentialHelper, type Credentials } from './credential-helper.ts'

interface DockerConfig {
  readonly auths?: Readonly<Record<string, StoredLogin>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

interface StoredLogin {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

/** Where Docker's own configuration is: DOCKER_CONFIG, else .docker in the home folder. */
export function dockerFolder(env: NodeJS.ProcessEnv): string {
  return env.DOCKER_CONFIG || path.join(os.homedir(), '.docker')
}

/**
 * The credentials that `docker login` left for a registry: asked of its credential helper, else of the store, else
 * read from config.json. Undefined where there are none. Throws `bad-docker-config`, `credential-helper-failed`.
 */
export async function findCredentials(
  registry: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const file = path.join(dockerFolder(env), 'config.json')
  const config = await readConfig(file)
  const stored = loginOf(config.auths ?? {}, registry)
  const helper = config.credHelpers?.[registry] ?? config.credsStore
  const asked = helper ? await askCredentialHelper(helper, stored?.key ?? registry, env) : undefined
  return asked ?? (stored ? readLogin(stored.login, registry, file) : undefined)
}

async function readConfig(file: string): Promise<DockerConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return '{}'
    throw badInput(
      'bad-docker-config',
      `${file} cannot be read (${errorCode(error)}); make it readable.`,
      error,
    )
  })
  try {
    const config: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (typeof config === 'object' && config !== null) return config
  } catch {}
  throw badInput('bad-docker-config', `${file} is not a JSON object; repair it, or set DOCKER_CONFIG.`)
}

/** Old logins stand under an address: "https://registry.example/v1/". */
function loginOf(
  auths: Readonly<Record<string, StoredLogin>>,
  registry: string,
): { key: string; login: StoredLogin } | undefined {
  const key = Object.keys(auths).find(
    (name) => name.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '') === registry,
  )
  return key === undefined ? undefined : { key, login: auths[key]! }
}

function readLogin(login: StoredLogin, registry: string, file: string): Credentials | undefined {
  if (login.identitytoken) return { identityToken: login.identitytoken }
  if (login.username && login.password) return { username: login.username, password: login.password }
  if (!login.auth) return undefined
  const text = Buffer.from(login.auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon > 0) return { username: text.slice(0, colon), password: text.slice(colon + 1) }
  throw badInput(
    'bad-docker-config',
    `${file} holds a login for ${registry} that cannot be read; \`docker login ${registry}\` writes it anew.`,
  )
}
