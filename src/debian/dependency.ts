import { SlipwayError } from '../lib/errors.ts'

/** Version relations (Debian Policy 7.1). */
export type Relation = '<<' | '<=' | '=' | '>=' | '>>'

/** One package name with its restrictions: `name:arch (>= 1.0)`. */
export interface Dependency {
  readonly name: string
  /** `any`, `native` or an architecture after the colon; absent mostly. */
  readonly architecture?: string
  readonly relation?: Relation
  readonly version?: string
}

/** `a | b`: one clause of a relationship field. */
export type Alternatives = readonly Dependency[]

/** A name that a package provides, with a version where the field gives one (`name (= 1.0)`). */
export interface Provided {
  readonly name: string
  readonly version?: string
}

/** `<` and `>` are the old spellings of "or equal": dpkg still reads them so. */
const relations: Readonly<Record<string, Relation>> = {
  '<<': '<<',
  '<=': '<=',
  '<': '<=',
  '=': '=',
  '>=': '>=',
  '>': '>=',
  '>>': '>>',
}

const pattern =
  /^(?<name>[A-Za-z0-9][A-Za-z0-9+.-]*)(?::(?<architecture>[a-z0-9][a-z0-9-]*))?\s*(?:\(\s*(?<relation>[<>=]{1,2})\s*(?<version>[A-Za-z0-9.+~:-]+)\s*\))?$/

/**
 * Reads a relationship field of a binary package: Depends, Conflicts and their like (Debian Policy 7.1). Architecture
 * lists (`[amd64]`) and build profiles belong to source packages and are refused.
 */
export function parseDependencies(text: string): Alternatives[] {
  const clauses: Alternatives[] = []
  for (const clause of text.split(',')) {
    // Trailing commas are tolerated, as dpkg does.
    if (clause.trim() === '') continue
    clauses.push(clause.split('|').map(parseDependency))
  }
  return clauses
}

/** Reads a Provides field: names, each with an exact version at most (Debian Policy 7.5). */
export function parseProvides(text: string): Provided[] {
  const provided: Provided[] = []
  for (const item of text.split(',')) {
    if (item.trim() === '') continue
    const { name, relation, version } = parseDependency(item)
    if (relation !== undefined && relation !== '=') {
      throw badDependency(item, 'a Provides takes no relation but =')
    }
    provided.push(version === undefined ? { name } : { name, version })
  }
  return provided
}

/** Writes a dependency as a control file spells it: `libc6 (>= 2.36)`. */
export function formatDependency(dependency: Dependency): string {
  const architecture = dependency.architecture === undefined ? '' : `:${dependency.architecture}`
  const version = dependency.relation === undefined ? '' : ` (${dependency.relation} ${dependency.version})`
  return `${dependency.name}${architecture}${version}`
}

/** Writes one clause: `mawk | gawk (>= 1:5)`. */
export function formatAlternatives(alternatives: Alternatives): string {
  return alternatives.map(formatDependency).join(' | ')
}

function parseDependency(text: string): Dependency {
  const trimmed = text.trim()
  const groups = pattern.exec(trimmed)?.groups
  if (!groups) throw badDependency(text, 'expected name[:architecture] [(relation version)]')
  const { name, architecture, relation, version } = groups
  const known = relation === undefined ? undefined : relations[relation]
  if (relation !== undefined && known === undefined) {
    throw badDependency(text, `${relation} is no version relation`)
  }
  return {
    name: name!,
    ...(architecture === undefined ? {} : { architecture }),
    ...(known === undefined ? {} : { relation: known, version: version! }),
  }
}

function badDependency(text: string, why: string): SlipwayError {
  return new SlipwayError('bad-dependency', `The dependency "${text.trim()}" cannot be read: ${why}.`)
}
