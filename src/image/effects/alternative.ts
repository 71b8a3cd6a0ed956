import type { AlternativeEffect } from '../../debian/effect.ts'
import { SlipwayError } from '../../lib/errors.ts'
import type { FileTree } from '../file-tree.ts'
import { makeSymlink, writeText } from './files.ts'

const database = 'var/lib/dpkg/alternatives'

interface Choice {
  readonly path: string
  readonly priority: number
  /** Slave paths by slave name; absent where this choice has none. */
  readonly slaves: ReadonlyMap<string, string>
}

interface Group {
  readonly link: string
  /** Slave links by name. */
  readonly slaves: ReadonlyMap<string, string>
  readonly choices: readonly Choice[]
}

/**
 * Registers an alternative and points the links at the choice of highest priority, as `update-alternatives --install`
 * does in automatic mode. Slaves whose file is not in the image get no link.
 */
export function installAlternative(tree: FileTree, effect: Omit<AlternativeEffect, 'kind'>): void {
  if (!tree.follow(effect.path)) {
    if (effect.optional) return
    throw new SlipwayError(
      'alternative-without-file',
      `The alternative ${effect.name} is to be ${effect.path}, which is not in the image; correct the recipe, or the omit rule that left it out.`,
    )
  }
  const file = `${database}/${effect.name}`
  const known = tree.get(file) ? parse(tree.readText(file)) : undefined
  const group = add(known, effect)
  writeText(tree, file, format(group))
  const best = group.choices.reduce((a, b) => (b.priority > a.priority ? b : a))
  point(tree, group.link, effect.name, best.path)
  for (const [name, link] of group.slaves) {
    const path = best.slaves.get(name)
    if (path && tree.follow(path)) point(tree, link, name, path)
    else {
      tree.remove(link)
      tree.remove(`etc/alternatives/${name}`)
    }
  }
}

function point(tree: FileTree, link: string, name: string, path: string): void {
  makeSymlink(tree, { path: link, target: `/etc/alternatives/${name}`, replace: true })
  makeSymlink(tree, { path: `/etc/alternatives/${name}`, target: path, replace: true })
}

function add(known: Group | undefined, effect: Omit<AlternativeEffect, 'kind'>): Group {
  const slaves = new Map(known?.slaves)
  for (const slave of effect.slaves) slaves.set(slave.name, slave.link)
  const choice: Choice = {
    path: effect.path,
    priority: effect.priority,
    slaves: new Map(effect.slaves.map((slave) => [slave.name, slave.path])),
  }
  const others = (known?.choices ?? []).filter((other) => other.path !== effect.path)
  return {
    link: effect.link,
    slaves: new Map([...slaves].sort(byKey)),
    choices: [...others, choice].sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
}

/** The administrative file: mode, link, slaves, a blank line, then each choice with its slaves' paths in that order. */
function format(group: Group): string {
  const lines = ['auto', group.link, ...[...group.slaves].flat(), '']
  for (const choice of group.choices) {
    lines.push(choice.path, String(choice.priority))
    for (const name of group.slaves.keys()) lines.push(choice.slaves.get(name) ?? '')
  }
  return `${lines.join('\n')}\n\n`
}

function parse(text: string): Group {
  const lines = text.split('\n')
  const slaves = new Map<string, string>()
  let at = 2
  for (; lines[at]; at += 2) slaves.set(lines[at]!, lines[at + 1]!)
  const choices: Choice[] = []
  for (at++; lines[at]; ) {
    const [path, priority] = [lines[at++]!, Number(lines[at++])]
    const paths = new Map<string, string>()
    for (const name of slaves.keys()) {
      const slave = lines[at++]
      if (slave) paths.set(name, slave)
    }
    choices.push({ path, priority, slaves: paths })
  }
  return { link: lines[1]!, slaves, choices }
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1
}
