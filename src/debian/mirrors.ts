import path from 'node:path'
import { badInput } from '../lib/errors.ts'
import { shownUrl } from '../lib/url-user.ts'
import { mirrorCandidates, readAptSources } from './apt-sources.ts'
import type { DebianSource } from './source.ts'

/** Debian keeps two archives: the one with all packages, and the one with security fixes. */
export type MirrorKind = 'main' | 'security'

/** Where one of the two is. */
export interface MirrorChoice {
  readonly kind: MirrorKind
  /** Without a slash at the end, never empty; several where they come from the host's apt sources: a look says which serves it. */
  readonly urls: readonly string[]
  /** Whether they were only found on the host, not named by anyone. */
  readonly found: boolean
}

export interface MirrorOptions {
  readonly env?: NodeJS.ProcessEnv
  /** "/etc/apt" unless told. */
  readonly aptFolder?: string
}

/** Which of the two archives serves a suite. */
export function mirrorKind(suite: string): MirrorKind {
  return suite.endsWith('-security') ? 'security' : 'main'
}

/**
 * Where an archive is: the definition's mirror, else SLIPWAY_MIRROR (SLIPWAY_SECURITY_MIRROR), else the host's apt
 * sources. Throws `no-mirror` (exit code 2) where none of them says.
 */
export async function findMirror(
  kind: MirrorKind,
  source: DebianSource,
  options: MirrorOptions = {},
): Promise<MirrorChoice> {
  const env = options.env ?? process.env
  const names =
    kind === 'main'
      ? { setting: 'debian.mirror', variable: 'SLIPWAY_MIRROR', value: source.mirror }
      : {
          setting: 'debian.securityMirror',
          variable: 'SLIPWAY_SECURITY_MIRROR',
          value: source.securityMirror,
        }
  const named = names.value || env[names.variable]
  if (named) {
    const origin = names.value ? `${names.setting} in appliance.yaml` : names.variable
    return { kind, urls: [checkUrl(named, origin)], found: false }
  }
  const folder = options.aptFolder ?? path.join(path.sep, 'etc', 'apt')
  const urls = mirrorCandidates(await readAptSources(folder), source.suite)[kind]
  if (urls.length > 0) return { kind, urls, found: true }
  throw badInput(
    'no-mirror',
    `It is not known where Debian's ${kind === 'main' ? 'archive' : 'security archive'} is: the definition names no ${names.setting}, and this host's apt sources have none; set ${names.setting} in appliance.yaml, or ${names.variable}.`,
  )
}

/** The moment of a snapshot archive's address (".../20260101T000000Z/"), or undefined for a live mirror. */
export function snapshotTime(url: string): string | undefined {
  return /\/(\d{8}T\d{6}Z)(?:\/|$)/.exec(url)?.[1]
}

function checkUrl(url: string, origin: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '')
  throw badInput('bad-mirror', `"${shownUrl(url)}" (${origin}) is not an http or https address; correct it.`)
}
