import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { replaceFile, writeFileAtomic } from '../lib/atomic.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { sha256OfFile } from '../lib/file-digest.ts'
import { type DebFile, debFileName } from './deb-file.ts'

/** What a vendor folder lacks or has too much, against the .debs it should hold. */
export interface VendorPlan {
  readonly kept: readonly DebFile[]
  readonly added: readonly DebFile[]
  /** There under the right name, with other bytes. */
  readonly replaced: readonly DebFile[]
  /** File names that this folder's list says were put there, and that are wanted no more. */
  readonly removed: readonly string[]
}

/** Names and hashes of what `slipway vendor` put there, as sha256sum(1) writes and checks them. */
const listName = 'SHA256SUMS'

/**
 * Compares a folder with the .debs it should hold, by hash. Of the files that no `slipway vendor` put there, `prune`
 * counts the .debs as removable too; others never are. Throws `same-name` where two .debs share a file name.
 */
export async function planVendor(
  folder: string,
  debs: readonly DebFile[],
  options: { readonly prune: boolean; readonly signal?: AbortSignal },
): Promise<VendorPlan> {
  const wanted = byFileName(debs)
  const plan = { kept: [] as DebFile[], added: [] as DebFile[], replaced: [] as DebFile[] }
  for (const [name, deb] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = await sha256OfFile(path.join(folder, name), options.signal)
    plan[found === undefined ? 'added' : found === deb.sha256 ? 'kept' : 'replaced'].push(deb)
  }
  const present = await readdir(folder).catch((error) => {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  })
  const ours = await readList(folder)
  const removed = present
    .filter((name) => !wanted.has(name))
    .filter((name) => ours.has(name) || (options.prune && name.endsWith('.deb')))
    .sort()
  return { ...plan, removed }
}

/**
 * Copies what is missing from `files` (hex SHA-256 → file), hashing as it goes; removes what is wanted no more. A
 * source whose bytes are not the .deb's goes to `heal`, which returns the file to take in its place.
 */
export async function applyVendor(
  folder: string,
  plan: VendorPlan,
  files: ReadonlyMap<string, string>,
  heal: (deb: DebFile) => Promise<string>,
): Promise<void> {
  for (const deb of [...plan.added, ...plan.replaced]) {
    const target = path.join(folder, debFileName(deb))
    if (await copyVerified(files.get(deb.sha256)!, target, deb)) continue
    if (await copyVerified(await heal(deb), target, deb)) continue
    throw new SlipwayError(
      'wrong-hash',
      `${debFileName(deb)} changes while it is read; check the disk of the cache.`,
    )
  }
  // Before the list forgets them: what is cut short here is removed by the next run.
  for (const name of plan.removed) await rm(path.join(folder, name), { force: true })
  const list = [...plan.kept, ...plan.added, ...plan.replaced]
    .map((deb) => `${deb.sha256}  ${debFileName(deb)}\n`)
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .join('')
  await writeFileAtomic(path.join(folder, listName), list)
}

function byFileName(debs: readonly DebFile[]): Map<string, DebFile> {
  const named = new Map<string, DebFile>()
  for (const deb of debs) {
    const other = named.get(debFileName(deb))
    if (other && other.sha256 !== deb.sha256) {
      throw new SlipwayError(
        'same-name',
        `Two locked packages have the file name ${debFileName(deb)}; vendor each platform into a folder of its own (--platform).`,
      )
    }
    named.set(debFileName(deb), deb)
  }
  return named
}

async function copyVerified(source: string, target: string, deb: DebFile): Promise<boolean> {
  const wrong = new Error('wrong hash')
  try {
    await replaceFile(target, async (temporary) => {
      const hash = createHash('sha256')
      const handle = await open(temporary, 'wx')
      try {
        for await (const chunk of createReadStream(source)) {
          hash.update(chunk)
          await handle.writeFile(chunk)
        }
      } finally {
        await handle.close()
      }
      if (hash.digest('hex') !== deb.sha256) throw wrong
    })
    return true
  } catch (error) {
    if (error === wrong) return false
    throw error
  }
}

/** File names of the list; a list that someone edited only loses the lines that make no sense. */
async function readList(folder: string): Promise<Set<string>> {
  const text = await readFile(path.join(folder, listName), 'utf8').catch(() => '')
  const names = [...text.matchAll(/^[0-9a-f]{64} [ *]([^/\\\r\n]+\.deb)\r?$/gm)].map((match) => match[1]!)
  return new Set(names)
}
