import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { badInput, errorCode } from '../../lib/errors.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { dockerFolder } from './credentials.ts'

/**
 * Where Docker looks for the certificates of a registry's authorities, and of its clients: the Engine's folder, a rootless Engine's (on
 * Windows there is none), Docker Desktop's. Each may be missing.
 */
export function authorityFolders(
  registry: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const desktop = path.join(dockerFolder(env), 'certs.d')
  if (platform === 'win32') {
    // No folder's name may hold a colon there: Docker leaves it out.
    const engine = path.join(env.ProgramData || 'C:\\ProgramData', 'docker', 'certs.d')
    return [engine, desktop].map((folder) => path.join(folder, registry.replaceAll(':', '')))
  }
  const rootless = path.join(env.XDG_CONFIG_HOME || path.join(os.homedir(), '.config'), 'docker', 'certs.d')
  return ['/etc/docker/certs.d', rootless, desktop].map((folder) => path.join(folder, registry))
}

/**
 * Whom to trust over https: the authorities that Node trusts (NODE_EXTRA_CA_CERTS among them), and those whose
 * certificates (`*.crt`, PEM) are in the folders; and as whom to speak to them. Undefined where there is nothing of
 * either. Throws `bad-certificate`.
 */
export function trustAuthorities(
  folders: readonly string[],
  client?: ClientCertificate,
): SecureContext | undefined {
  const files = folders.flatMap(certificatesIn)
  if (files.length === 0 && !client) return undefined
  const trusted = createSecureContext(client)
  // The option `ca` would put them in place of Node's own; what adds to those is in no documentation, and in every Node.
  const context = trusted.context as { addCACert(pem: Buffer): void }
  for (const file of files) context.addCACert(readCertificate(file))
  return trusted
}

function certificatesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.crt'))
      .sort()
      .map((name) => path.join(folder, name))
  } catch {
    return []
  }
}

function readCertificate(file: string): Buffer {
  try {
    const pem = readFileSync(file)
    new X509Certificate(pem)
    return pem
  } catch (error) {
    const code = errorCode(error)
    const reason =
      code?.startsWith('E') && !code.startsWith('ERR_')
        ? `cannot be read (${code})`
        : 'is no certificate in PEM'
    throw badInput(
      'bad-certificate',
      `${file}, which is to say whom to trust as this registry, ${reason}; put it right, or take it away.`,
      error,
    )
  }
}
