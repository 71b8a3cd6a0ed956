import type { Platform } from '../lib/platform.ts'
import type { Check, Component, DirectoryRule, FileRule, Group, LinkRule } from './definition.ts'
import type { SourceRule } from './sources/source.ts'

/** `component.yaml` as its schema allows it. */
export interface ComponentSource {
  readonly description?: string
  readonly layer?: string
  readonly essential?: boolean
  readonly optional?: boolean
  readonly packages?: readonly string[]
  readonly groups?: readonly Group[]
  readonly users?: readonly {
    readonly name: string
    readonly uid: number
    readonly group: string
    readonly home?: string
    readonly shell?: string
    readonly comment?: string
  }[]
  readonly directories?: readonly OwnedPath[]
  readonly files?: readonly OwnedPath[]
  readonly links?: readonly LinkRule[]
  readonly ports?: readonly string[]
  readonly checks?: readonly CheckSource[]
  readonly licence?: string
  readonly sources?: readonly SourceSource[]
}

/** Exactly one of `deb`, `directory` and `tarball`. */
interface SourceSource {
  readonly deb?: string
  readonly directory?: string
  readonly tarball?: string
  readonly target?: string
  readonly strip?: number
  readonly owner?: string
  readonly group?: string
  readonly modes?: Readonly<Record<string, string>>
  readonly platforms?: readonly Platform[]
}

interface OwnedPath {
  readonly path: string
  /** Octal digits: YAML would read a bare 0755 as a decimal number. */
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
}

/** A check as the YAML files hold it. */
export type CheckSource = Omit<Extract<Check, { file: string }>, 'mode' | 'file'> & {
  readonly file?: string
  readonly mode?: string
}

/** Fills in the defaults of a `component.yaml` that its schema has accepted. */
export function toComponent(name: string, source: ComponentSource, rootfs: readonly string[]): Component {
  return {
    name,
    layer: source.layer ?? name,
    packages: source.packages ?? [],
    essential: source.essential ?? false,
    groups: source.groups ?? [],
    users: (source.users ?? []).map((user) => ({
      home: '/nonexistent',
      shell: '/usr/sbin/nologin',
      comment: '',
      ...user,
    })),
    directories: (source.directories ?? []).map(toDirectory),
    files: (source.files ?? []).map(toFile),
    links: source.links ?? [],
    rootfs,
    sources: (source.sources ?? []).map((one) => toSource(name, one)),
    ports: source.ports ?? [],
    checks: (source.checks ?? []).map(toCheck),
    ...(source.licence === undefined ? {} : { licence: source.licence }),
  }
}

function toSource(component: string, source: SourceSource): SourceRule {
  const path = `images/${component}/${source.deb ?? source.directory ?? source.tarball}`
  if (source.deb !== undefined) return { kind: 'deb', path }
  const { target = '/', strip = 0, owner = 'root', group = 'root', modes = {}, platforms } = source
  return {
    kind: source.tarball === undefined ? 'directory' : 'tarball',
    ...{ path, target, strip, owner, group },
    modes: Object.entries(modes).map(([glob, mode]) => ({ glob, mode: Number.parseInt(mode, 8) })),
    ...(platforms && { platforms }),
  }
}

export function toCheck({ mode, ...check }: CheckSource): Check {
  return { ...check, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) } as Check
}

function toDirectory({ path, mode = '0755', owner = 'root', group = 'root' }: OwnedPath): DirectoryRule {
  return { path, mode: Number.parseInt(mode, 8), owner, group }
}

function toFile({ mode, ...rule }: OwnedPath): FileRule {
  return { ...rule, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) }
}
