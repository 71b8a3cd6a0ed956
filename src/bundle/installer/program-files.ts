import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type OverlayFile, overlayFile } from '../../definition/overlay.ts'
import { compareBytes } from '../../lib/compare-bytes.ts'
import { ownFolder } from '../../lib/own-folder.ts'
import { findPackages, type InstalledPackage } from './installed-packages.ts'

/** Where Slipway is in the installer image, relative to its root. */
export const programFolder = 'usr/lib/slipway'

/** Of Slipway's own folder: what runs, its schemas, its name and version. */
const ownFiles =
  /^(?:package\.json|dist(?:\/(?:validators\.cjs|program(?:\/.*)?))?|src(?:\/(?:debian|definition|bundle)(?:\/schema(?:\/[^/]+\.json)?)?)?)$/

/** Of a package, what runs none of its code. */
const idleFiles = /(?:\.map|\.[cm]?ts|\.md|\.markdown|\.flow|\.node|\.bare|\.min\.[cm]?js|\.tsbuildinfo)$/i
const idleFolders = /^(?:node_modules|tests?|__tests__|docs?|examples?|bench(?:mark)?s?|prebuilds|\..*)$/i

/** By package, what only browsers and compilers read. */
const unusedPaths: Readonly<Record<string, readonly string[]>> = {
  ajv: ['lib'],
  openpgp: ['dist/lightweight', 'dist/openpgp.js', 'dist/openpgp.mjs', 'dist/node/openpgp.cjs'],
  protobufjs: ['dist', 'cli'],
  yaml: ['browser'],
}

/**
 * Slipway itself as files of an image: what runs, and the packages that it needs to run, as npm placed
 * them. No map, test or document, and nothing that a machine compiled for itself. Throws `unfit-packages` where
 * node_modules is not what package-lock.json says.
 */
export async function readProgramFiles(folder: string = ownFolder): Promise<OverlayFile[]> {
  const packages = await findPackages(folder)
  const own = await readFiles(folder, (file) => ownFiles.test(file) && !idleFiles.test(file))
  const theirs = await Promise.all(packages.map(readPackage))
  return [...own, ...theirs.flat()]
    .map((file) => ({ ...file, path: `${programFolder}/${file.path}` }))
    .sort((a, b) => compareBytes(a.path, b.path))
}

async function readPackage({ name, folder, place }: InstalledPackage): Promise<OverlayFile[]> {
  const unused = unusedPaths[name] ?? []
  const files = await readFiles(folder, (file, siblings) => {
    const base = path.posix.basename(file)
    if (file === base && idleFolders.test(base)) return false
    // What a machine compiled lies beside its recipe.
    if (base === 'build' && siblings.includes('binding.gyp')) return false
    return !idleFiles.test(base) && !unused.includes(file)
  })
  return files.map((file) => ({ ...file, path: `${place}/${file.path}` }))
}

/** Files below a folder, by relative path; `keep` is asked for folders too. */
async function readFiles(
  folder: string,
  keep: (relative: string, siblings: readonly string[]) => boolean,
): Promise<OverlayFile[]> {
  const read = async (at: string): Promise<OverlayFile[]> => {
    const entries = await readdir(path.join(folder, at), { withFileTypes: true })
    const siblings = entries.map(({ name }) => name)
    const parts = await Promise.all(
      entries.map(async (entry) => {
        const relative = path.posix.join(at, entry.name)
        if (!keep(relative, siblings)) return []
        if (entry.isDirectory()) return read(relative)
        return [overlayFile(relative, await readFile(path.join(folder, relative)))]
      }),
    )
    return parts.flat()
  }
  return read('')
}
