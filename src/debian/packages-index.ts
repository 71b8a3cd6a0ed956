import { SlipwayError } from '../lib/errors.ts'
import { fieldOf, parseStanzas, type Stanza } from './deb822.ts'
import { type Alternatives, type Provided, parseDependencies, parseProvides } from './dependency.ts'
import type { BinaryPackage, MultiArch } from './package.ts'

/**
 * Reads a Packages index (Debian repository format). Bytes are taken as Latin-1, which is enough for the fields kept
 * here and half the memory of text with letters beyond it. Only names, versions and what else an index is searched by are
 * read at once; the rest of a stanza is read when it is first asked for, so that 68 000 stanzas cost a fraction of a
 * second. A stanza without its obligatory fields is an error with its line number, at once or on that first use.
 */
export function parsePackages(source: string | Uint8Array, suite: string): BinaryPackage[] {
  const decoded =
    typeof source === 'string'
      ? source
      : Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('latin1')
  const text = decoded.includes('\r\n') ? decoded.replaceAll('\r\n', '\n') : decoded

  const name = fieldScanner(text, 'Package')
  const version = fieldScanner(text, 'Version')
  const architecture = fieldScanner(text, 'Architecture')
  const provides = fieldScanner(text, 'Provides')
  const essential = fieldScanner(text, 'Essential')
  const packages: BinaryPackage[] = []
  let start = skipBlank(text, 0)
  while (start < text.length) {
    const blank = text.indexOf('\n\n', start)
    const end = blank < 0 ? text.length : blank
    const origin = { text, start, end, suite }
    packages.push(
      new IndexedPackage(
        origin,
        name(start, end) ?? missing(origin, 'Package'),
        version(start, end) ?? missing(origin, 'Version'),
        architecture(start, end) ?? missing(origin, 'Architecture'),
        provides(start, end),
        essential(start, end) === 'yes',
      ),
    )
    start = skipBlank(text, end)
  }
  return packages
}

/** Where a stanza stands: [start, end) in the text of an index. */
interface Origin {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly suite: string
}

/** A stanza of an index; what few are asked for is read on first use. */
class IndexedPackage implements BinaryPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly #origin: Origin
  readonly essential: boolean
  #provides: string | readonly Provided[]
  #stanza: Stanza | undefined
  readonly #relations = new Map<string, Alternatives[]>()

  constructor(
    origin: Origin,
    name: string,
    version: string,
    architecture: string,
    provides: string | undefined,
    essential: boolean,
  ) {
    this.#origin = origin
    this.name = checked(origin, 'Package', name, /^[A-Za-z0-9][A-Za-z0-9+.-]*$/)
    this.version = checked(origin, 'Version', version, /^(?:\d+:)?[A-Za-z0-9.+~-]+$/)
    this.architecture = checked(origin, 'Architecture', architecture, /^[a-z0-9][a-z0-9-]*$/)
    this.#provides = provides ?? []
    this.essential = essential
  }

  get suite(): string {
    return this.#origin.suite
  }

  get source(): string {
    return this.#source().name
  }

  get sourceVersion(): string {
    return this.#source().version
  }

  get priority(): string {
    return this.#field('Priority') ?? 'optional'
  }

  get multiArch(): MultiArch {
    const value = this.#field('Multi-Arch') ?? 'no'
    return checked(this.#origin, 'Multi-Arch', value, /^(?:no|same|foreign|allowed)$/) as MultiArch
  }

  get preDepends(): readonly Alternatives[] {
    return this.#relation('Pre-Depends')
  }

  get depends(): readonly Alternatives[] {
    return this.#relation('Depends')
  }

  get recommends(): readonly Alternatives[] {
    return this.#relation('Recommends')
  }

  get conflicts(): readonly Alternatives[] {
    return this.#relation('Conflicts')
  }

  get breaks(): readonly Alternatives[] {
    return this.#relation('Breaks')
  }

  get replaces(): readonly Alternatives[] {
    return this.#relation('Replaces')
  }

  get provides(): readonly Provided[] {
    const value = this.#provides
    if (typeof value !== 'string') return value
    const parsed = explain(this.#origin, 'Provides', () => parseProvides(value))
    this.#provides = parsed
    return parsed
  }

  get path(): string {
    const path = this.#required('Filename', /^[A-Za-z0-9][A-Za-z0-9+.~_:%/-]*$/).replace(/^\.\//, '')
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw broken(this.#origin, `the Filename ${path} leaves the archive`)
    }
    return path
  }

  get size(): number {
    return Number(this.#required('Size', /^\d{1,15}$/))
  }

  get sha256(): string {
    return this.#required('SHA256', /^[0-9a-f]{64}$/)
  }

  get installedSize(): number {
    return Number(checked(this.#origin, 'Installed-Size', this.#field('Installed-Size') ?? '0', /^\d{1,15}$/))
  }

  #source(): { name: string; version: string } {
    const written = this.#field('Source')
    if (written === undefined) return { name: this.name, version: this.version }
    const match = /^([A-Za-z0-9][A-Za-z0-9+.-]*)(?:\s*\(([A-Za-z0-9.+~:-]+)\))?$/.exec(written)
    if (!match) throw broken(this.#origin, `the Source "${written}" cannot be read`)
    return { name: match[1]!, version: match[2] ?? this.version }
  }

  #relation(name: string): Alternatives[] {
    const known = this.#relations.get(name)
    if (known) return known
    const value = this.#field(name)
    const parsed = value === undefined ? [] : explain(this.#origin, name, () => parseDependencies(value))
    this.#relations.set(name, parsed)
    return parsed
  }

  #required(name: string, form: RegExp): string {
    return checked(this.#origin, name, this.#field(name) ?? missing(this.#origin, name), form)
  }

  #field(name: string): string | undefined {
    const { text, start, end, suite } = this.#origin
    this.#stanza ??= parseStanzas(text.slice(start, end), `the stanza of ${this.name} in ${suite}`)[0]
    return this.#stanza && fieldOf(this.#stanza, name)
  }
}

/**
 * Finds one field in stanza after stanza. It remembers the next place where the field stands, so that stanzas without
 * it cost nothing and the whole index is searched once.
 */
function fieldScanner(text: string, name: string): (start: number, end: number) => string | undefined {
  const find = (from: number): number => {
    const found = text.indexOf(`\n${name}:`, from)
    return found < 0 ? Number.POSITIVE_INFINITY : found + 1
  }
  let next = text.startsWith(`${name}:`) ? 0 : find(0)
  return (start, end) => {
    if (next < start) next = find(start - 1)
    if (next >= end) return undefined
    const from = next + name.length + 1
    let stop = from
    // A folded field goes on in lines that begin with a blank.
    do {
      const newline = text.indexOf('\n', stop)
      stop = newline < 0 || newline >= end ? end : newline + 1
    } while (stop < end && (text[stop] === ' ' || text[stop] === '\t'))
    return text.slice(from, stop).trim()
  }
}

function skipBlank(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] === '\n') at++
  return at
}

function checked(origin: Origin, field: string, value: string, form: RegExp): string {
  if (form.test(value)) return value
  throw broken(origin, `the ${field} "${value.slice(0, 80)}" cannot be read`)
}

function missing(origin: Origin, field: string): never {
  throw broken(origin, `a stanza has no ${field}`)
}

function explain<T>(origin: Origin, field: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw broken(origin, `${field}: ${error instanceof Error ? error.message : error}`)
  }
}

function broken(origin: Origin, why: string): SlipwayError {
  let line = 1
  for (
    let at = origin.text.indexOf('\n');
    at >= 0 && at < origin.start;
    at = origin.text.indexOf('\n', at + 1)
  )
    line++
  return new SlipwayError(
    'bad-index',
    `The Packages index of ${origin.suite}, line ${line}: ${why.replace(/\.$/, '')}.`,
  )
}
