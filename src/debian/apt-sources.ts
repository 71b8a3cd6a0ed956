import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorCode } from '../lib/errors.ts'
import { fieldOf, parseStanzas } from './deb822.ts'

/** One enabled `deb` source of the host (sources.list(5)). */
export interface AptSource {
  /** As written, a trailing slash dropped; `mirror+file:` stands for the addresses in that file. */
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

/** Reads a deb822 `.sources` file: its enabled sources of binary packages. */
export function parseSourcesFile(text: string, label: string): AptSource[] {
  const words = (value: string | undefined) => (value ?? '').split(/\s+/).filter((word) => word !== '')
  return parseStanzas(text, label).flatMap((stanza) => {
    const enabled = !['no', 'false', 'without', 'off', 'disable'].includes(
      (fieldOf(stanza, 'Enabled') ?? 'yes').toLowerCase(),
    )
    if (!enabled || !words(fieldOf(stanza, 'Types')).includes('deb')) return []
    return [
      {
        uris: words(fieldOf(stanza, 'URIs')).map(withoutSlash),
        suites: words(fieldOf(stanza, 'Suites')),
        components: words(fieldOf(stanza, 'Components')),
      },
    ]
  })
}

/** Reads a one-line-style `.list` file; lines that are no `deb` source are passed over. */
export function parseListFile(text: string): AptSource[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line.replace(/\s#.*$/, ''))
    if (!match) return []
    const components = match[3]!.split(/\s+/).filter((word) => word !== '')
    return [{ uris: [withoutSlash(match[1]!)], suites: [match[2]!], components }]
  })
}

/**
 * Reads the addresses of a mirror list, as `mirror+file:` names one (apt-transport-mirror(1)): one a line, options
 * after a tab, the lowest priority number first.
 */
export function parseMirrorList(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [uri, ...options] = line.split(/\s+/)
      const priority = options.map((option) => /^priority:(\d+)$/.exec(option)?.[1]).find(Boolean)
      return { uri: withoutSlash(uri!), priority: Number(priority ?? Number.MAX_SAFE_INTEGER) }
    })
    .sort((a, b) => a.priority - b.priority)
    .map(({ uri }) => uri)
}

/**
 * The sources of the host in apt's order: sources.list, then sources.list.d by name. Empty where there is no apt. A
 * file that cannot be read or parsed is passed over: apt's own complaint is better than one from here.
 */
export async function readAptSources(folder: string): Promise<AptSource[]> {
  const parts = path.join(folder, 'sources.list.d')
  const names = await readdir(parts).catch(() => [])
  const files = [path.join(folder, 'sources.list'), ...names.sort().map((name) => path.join(parts, name))]
  const sources: AptSource[] = []
  for (const file of files) {
    const ending = path.extname(file)
    if (ending !== '.list' && ending !== '.sources') continue
    const text = await readOptional(file)
    if (text === undefined) continue
    sources.push(...(ending === '.sources' ? parseLeniently(text, file) : parseListFile(text)))
  }
  return Promise.all(
    sources.map(async (source) => ({
      ...source,
      uris: (await Promise.all(source.uris.map(resolveUri))).flat(),
    })),
  )
}

/** Addresses of an archive on the host's list, the likeliest for `suite` first: what answers for it is for a look to say. */
export function mirrorCandidates(
  sources: readonly AptSource[],
  suite: string,
): { main: string[]; security: string[] } {
  const isSecurity = (name: string) => /-security$|\/updates$/.test(name)
  const collect = (wanted: (name: string) => boolean, exact: string, ending: RegExp): string[] => {
    const found = new Map<string, number>()
    for (const source of sources) {
      // A suite with a slash at its end is a flat archive: it has no dists/ at all.
      if (!source.suites.some((name) => wanted(name) && !name.endsWith('/'))) continue
      for (const uri of source.uris) {
        if (!/^https?:\/\//.test(uri)) continue
        const rank = source.suites.includes(exact) ? 0 : ending.test(uri) ? 1 : 2
        found.set(uri, Math.min(rank, found.get(uri) ?? rank))
      }
    }
    return [...found].sort((a, b) => a[1] - b[1]).map(([uri]) => uri)
  }
  return {
    main: collect((name) => !isSecurity(name), suite, /\/debian$/),
    security: collect(isSecurity, `${suite}-security`, /\/debian-security$/),
  }
}

async function resolveUri(uri: string): Promise<string[]> {
  const match = /^mirror\+(file:.*)$/.exec(uri)
  if (!match) return [uri]
  const file = match[1]!.startsWith('file://') ? fileURLToPath(match[1]!) : match[1]!.slice('file:'.length)
  return parseMirrorList((await readOptional(file)) ?? '')
}

function parseLeniently(text: string, file: string): AptSource[] {
  try {
    return parseSourcesFile(text, file)
  } catch {
    return []
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

function withoutSlash(uri: string): string {
  return uri.replace(/\/+$/, '')
}
