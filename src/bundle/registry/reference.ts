import type { Digest } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import { isLoopback } from '../../lib/loopback.ts'

/** What a registry holds, by name: "registry.example:5000/acme/wan:1.0.0", "…/wan@sha256:…". */
export interface RegistryReference {
  /** Host, with its port where one is named. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

const host =
  /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:\d)|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/
const component = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*'
const repositoryName = new RegExp(`^${component}(?:/${component})*$`)
const tagName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const digestName = /^sha256:[0-9a-f]{64}$/

/** Whether a word can only mean a place in a registry: its first part is a host, and something follows. */
export function isReference(text: string): boolean {
  const slash = text.indexOf('/')
  return slash > 0 && host.test(text.slice(0, slash)) && slash < text.length - 1
}

/** Reads a reference (OCI distribution-spec, "Pulling manifests", for the names). Throws `bad-reference`. */
export function parseReference(text: string): RegistryReference {
  const slash = text.indexOf('/')
  const registry = text.slice(0, Math.max(slash, 0))
  if (!host.test(registry)) throw refuse(text, 'begins with no host, such as registry.example')
  const [name = '', digest, ...more] = text.slice(slash + 1).split('@')
  const [repository = '', tag, ...tags] = name.split(':')
  if (more.length > 0 || tags.length > 0) throw refuse(text, 'has more than one tag or digest')
  if (!repositoryName.test(repository) || text.length > 400) {
    throw refuse(text, `has "${repository}" for a repository, which needs lower-case letters and digits`)
  }
  if (tag !== undefined && !tagName.test(tag)) throw refuse(text, `has a tag "${tag}" that cannot be one`)
  if (digest !== undefined && !digestName.test(digest)) {
    throw refuse(text, `has a digest "${digest}" that is not sha256: and 64 hex digits`)
  }
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest: digest as Digest }),
  }
}

function refuse(text: string, reason: string): Error {
  return badInput(
    'bad-reference',
    `"${text}" ${reason}; write registry.example/acme/wan:1.0.0 or registry.example/acme/wan@sha256:….`,
  )
}

/** "registry.example/acme/wan", with what is given behind it. */
export function formatReference(
  { registry, repository }: RegistryReference,
  version: { readonly tag?: string; readonly digest?: string } = {},
): string {
  const tag = version.tag === undefined ? '' : `:${version.tag}`
  const digest = version.digest === undefined ? '' : `@${version.digest}`
  return `${registry}/${repository}${tag}${digest}`
}

/** Whether the registry is on this machine: there, plain http is no risk. */
export function isLocal(registry: string): boolean {
  return isLoopback(registry.replace(/:\d+$/, ''))
}

/**
 * An address of a registry's own host, over https where it names plain http: a registry behind a server that speaks TLS
 * for it may not know that. Any other address as it is.
 */
export function protectOwn(address: string, registry: string): string {
  const safe = address.replace(/^http:/i, 'https:')
  return URL.canParse(safe) && new URL(safe).host === new URL(`https://${registry}`).host ? safe : address
}
