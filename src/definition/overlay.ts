import { readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { commandName } from '../lib/command-name.ts'
import { compareBytes } from '../lib/compare-bytes.ts'
import { badInput } from '../lib/errors.ts'
import { nameFault } from '../lib/name-fault.ts'

/** A file of a component's `rootfs/`, as it goes into the image. */
export interface OverlayFile {
  /** Relative to the image's root, `/`-separated. */
  readonly path: string
  readonly mode: number
  readonly content?: Uint8Array
  /** A symbolic link's text. */
  readonly target?: string
}

/** Reads a component's overlays as one, ordered: a file of a later folder replaces one of an earlier. */
export async function readOverlays(folders: readonly string[]): Promise<OverlayFile[]> {
  const files = new Map<string, OverlayFile>()
  for (const folder of folders) for (const file of await readOverlay(folder)) files.set(file.path, file)
  return [...files.values()].sort((a, b) => compareBytes(a.path, b.path))
}

/**
 * Reads a `rootfs/` overlay, ordered. Nothing of the host's file system but names, bytes and links counts: a file is
 * executable where it begins with `#!`, and text with Windows line ends gets Unix ones, so that a checkout on Windows
 * gives the same image. The component's `files` rules set other modes and owners. Throws
 * `bad-overlay` (exit code 2) for what no image holds.
 */
export async function readOverlay(folder: string): Promise<OverlayFile[]> {
  const files: OverlayFile[] = []
  const walk = async (relative: string): Promise<void> => {
    const entries = await readdir(path.join(folder, ...relative.split('/')), { withFileTypes: true })
    for (const entry of entries) {
      const name = relative ? `${relative}/${entry.name}` : entry.name
      const file = path.join(folder, ...name.split('/'))
      const fault = nameFault(entry.name)
      if (fault) throw refused(file, fault)
      if (entry.isDirectory()) await walk(name)
      else if (entry.isSymbolicLink())
        files.push({ path: name, mode: 0o777, target: innerTarget(file, name, await readlink(file)) })
      else if (!entry.isFile())
        throw refused(file, 'is a pipe, a socket or a device, which no image is built from')
      else if (!desktopFiles.has(entry.name)) files.push(overlayFile(name, await readFile(file)))
    }
  }
  await walk('')
  return files.sort((a, b) => compareBytes(a.path, b.path))
}

/** What keeps a folder in git, and what desktops leave in one that somebody looked at. */
export const desktopFiles = new Set(['.gitkeep', '.DS_Store', 'Thumbs.db'])

/** A link may be absolute (within the image) or climb, but never above the image's root. */
function innerTarget(file: string, name: string, target: string): string {
  let depth = target.startsWith('/') ? 0 : name.split('/').length - 1
  for (const part of target.split('/')) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 0) throw refused(file, `is a link to ${target}, which leads out of the image`)
  }
  return target
}

function refused(file: string, why: string) {
  return badInput('bad-overlay', `${file} ${why}; take it away, then run: ${commandName()} validate`)
}

/** One file as an overlay has it: see `readOverlay`. */
export function overlayFile(name: string, bytes: Buffer): OverlayFile {
  const content = bytes.includes(0) ? bytes : unixLines(bytes)
  const mode = content.subarray(0, 2).toString('latin1') === '#!' ? 0o755 : 0o644
  return { path: name, mode, content }
}

function unixLines(bytes: Buffer): Buffer {
  return bytes.includes('\r\n')
    ? Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : bytes
}
