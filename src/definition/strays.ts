import { readdir, stat } from 'node:fs/promises'
import { nearest } from '../lib/nearest.ts'
import type { Problem } from './problem.ts'
import { inRoot, type Root, type Roots, shownFile } from './roots.ts'

/** Folders of images/ that hold something else than a component. */
const others = ['recipes', 'keyrings']

const plainName = /^[a-z0-9]+(-[a-z0-9]+)*$/

/**
 * What lies in a product directory, looks like a part of it, and would be passed over: files that end in .yml, folders
 * of images/ that are no component, a `rootfs` that is no folder; and names that a layer or a command line cannot have.
 *
 * @param components the folders of images/ that have a component.yaml, in any root
 */
export async function findStrays(roots: Roots, components: readonly string[]): Promise<Problem[]> {
  const found = await Promise.all(
    roots.map(async (root) => [
      ...(await strayFiles(root, 'compose')),
      ...(await strayFiles(root, 'profiles')),
      ...(await strayFiles(root, 'images/recipes')),
      ...(await oddProfiles(root)),
      ...(await strayFolders(root, components)),
    ]),
  )
  return found.flat()
}

async function strayFiles(root: Root, folder: string): Promise<Problem[]> {
  const names = await namesIn(root, folder)
  return names
    .filter((name) => /\.(yml|ya?ml)$/i.test(name) && !name.endsWith('.yaml'))
    .map((name) =>
      problem(
        root,
        `${folder}/${name}`,
        `nothing reads this file; name it ${name.replace(/\.[^.]*$/, '')}.yaml`,
      ),
    )
}

async function oddProfiles(root: Root): Promise<Problem[]> {
  return (await namesIn(root, 'profiles'))
    .filter((name) => name.endsWith('.yaml') && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name.slice(0, -5)))
    .map((name) =>
      problem(
        root,
        `profiles/${name}`,
        "a profile's name has at most 64 letters, digits, dots, hyphens and underscores",
      ),
    )
}

async function strayFolders(root: Root, components: readonly string[]): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const name of await namesIn(root, 'images')) {
    const folder = `images/${name}`
    if (others.includes(name)) continue
    const inside = await namesIn(root, folder)
    if (!components.includes(name)) {
      const part = inside.find((one) => one === 'rootfs' || /^component\.ya?ml$/i.test(one))
      if (part === undefined) continue
      const near = nearest(name, components)[0]
      const text = `there is no component.yaml in ${folder}, so that nothing of it is built${near ? `; did you mean images/${near}?` : ''}`
      problems.push(problem(root, `${folder}/${part}`, text))
      continue
    }
    if (!plainName.test(name))
      problems.push(
        problem(root, folder, "a component's name has lower-case letters, digits and single hyphens only"),
      )
    if (inside.includes('rootfs') && !(await isFolder(root, `${folder}/rootfs`)))
      problems.push(problem(root, `${folder}/rootfs`, 'this is no folder, so that nothing of it is built'))
  }
  return problems
}

async function namesIn(root: Root, folder: string): Promise<string[]> {
  return (await readdir(inRoot(root, folder)).catch(() => [])).sort()
}

async function isFolder(root: Root, folder: string): Promise<boolean> {
  return (await stat(inRoot(root, folder)).catch(() => undefined))?.isDirectory() ?? false
}

function problem(root: Root, file: string, text: string): Problem {
  return { file: shownFile(root, file), path: '', text }
}
