import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createSecureContext } from 'node:tls'
import { badInput, errorCode } from '../../lib/errors.ts'

/** What tells a registry who asks; both PEM. */
export interface ClientCertificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * The client's certificate for a registry, as Docker keeps it: `NAME.cert` beside `NAME.key` in one of the folders, the
 * first by name where there are several. Undefined where there is none. Throws `bad-certificate`, by name, also for one
 * that has lost its partner.
 */
export function findClientCertificate(folders: readonly string[]): ClientCertificate | undefined {
  const [pair] = folders.flatMap(pairsIn)
  if (!pair) return undefined
  const certificate = { cert: read(pair.cert), key: read(pair.key) }
  try {
    createSecureContext(certificate)
  } catch (error) {
    throw refuse(
      `${pair.cert} with ${pair.key}`,
      'is no certificate in PEM with its key, without a passphrase',
      error,
    )
  }
  return certificate
}

function pairsIn(folder: string): { readonly cert: string; readonly key: string }[] {
  const names = namesIn(folder)
  const file = (name: string): string => path.join(folder, name)
  return names.flatMap((name) => {
    const partner = partnerOf(name)
    if (partner === undefined) return []
    if (!names.includes(partner)) throw refuse(file(name), `has no ${partner} beside it`)
    return name.endsWith('.cert') ? [{ cert: file(name), key: file(partner) }] : []
  })
}

function partnerOf(name: string): string | undefined {
  if (name.endsWith('.cert')) return name.replace(/cert$/, 'key')
  return name.endsWith('.key') ? name.replace(/key$/, 'cert') : undefined
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw refuse(file, `cannot be read (${errorCode(error)})`, error)
  }
}

function refuse(what: string, reason: string, cause?: unknown): Error {
  return badInput(
    'bad-certificate',
    `${what}, which is to say to this registry who asks, ${reason}; put it right, or take it away.`,
    cause,
  )
}
