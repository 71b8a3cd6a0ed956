import type { Stats } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { sha256Hex } from '../../src/lib/digest.ts'

/** What is compared of a path of an unpacked image. */
export interface PathFacts {
  readonly type: string
  /** Octal; that of a link says nothing. */
  readonly mode?: string
  /** "uid:gid" */
  readonly owner: string
  readonly target?: string
  /** Hex SHA-256. */
  readonly content?: string
  readonly capability?: string
}

/** Every path below `root`, absolute in the image. Needs root, and getcap (libcap2-bin). */
export async function readTree(root: string): Promise<Map<string, PathFacts>> {
  const capabilities = await readCapabilities(root)
  const facts = new Map<string, PathFacts>()
  const walk = async (folder: string): Promise<void> => {
    for (const name of (await readdir(path.join(root, folder))).sort()) {
      const inImage = `${folder}/${name}`
      const file = path.join(root, inImage)
      const stats = await lstat(file)
      const type = typeOf(stats)
      const capability = capabilities.get(inImage)
      facts.set(inImage, {
        type,
        owner: `${stats.uid}:${stats.gid}`,
        ...(type === 'symlink'
          ? { target: await readlink(file) }
          : { mode: (stats.mode & 0o7777).toString(8) }),
        ...(type === 'file' ? { content: sha256Hex(await readFile(file)) } : {}),
        ...(capability ? { capability } : {}),
      })
      if (type === 'directory') await walk(inImage)
    }
  }
  await walk('')
  return facts
}

function typeOf(stats: Stats): string {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isCharacterDevice()) return 'character-device'
  return stats.isBlockDevice() ? 'block-device' : 'fifo'
}

async function readCapabilities(root: string): Promise<Map<string, string>> {
  const { stdout } = await execa('getcap', ['-r', root])
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const space = line.lastIndexOf(' ')
        return [line.slice(root.length, space), line.slice(space + 1)]
      }),
  )
}

/**
 * How `ours` falls short of `theirs`: path → "missing", or the names of the facts that differ. What only ours has is
 * left out.
 */
export function compareTrees(
  theirs: ReadonlyMap<string, PathFacts>,
  ours: ReadonlyMap<string, PathFacts>,
): Map<string, string> {
  const differences = new Map<string, string>()
  for (const [name, wanted] of theirs) {
    const found = ours.get(name)
    if (!found) {
      differences.set(name, 'missing')
      continue
    }
    const keys = ['type', 'mode', 'owner', 'target', 'content', 'capability'] as const
    const differing = keys.filter((key) => wanted[key] !== found[key])
    if (differing.length > 0) differences.set(name, differing.join(', '))
  }
  return differences
}
