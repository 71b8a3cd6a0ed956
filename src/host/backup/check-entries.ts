import type { Writable } from 'node:stream'
import { extract, type Header } from 'tar-stream'
import type { BackupArchive } from './format.ts'

/** Why an entry may not be in a backup, in words that follow "it holds"; undefined where it may. */
export type EntryFault = string | undefined

/**
 * Judges the entries of one archive's tar, one after the other: nothing may lie outside of it, be written through a
 * link, or be a device. Links may lead anywhere within: within the volume, or the container's root for changed files.
 */
export function entryJudge({ type }: Pick<BackupArchive, 'type'>): (header: Header) => EntryFault {
  /** Path → where it leads. */
  const links = new Map<string, string>()
  const throughLink = (parts: readonly string[]): boolean =>
    links.size > 0 && parts.some((_, index) => index > 0 && links.has(parts.slice(0, index).join('/')))
  const symlinkFault = (name: string, own: readonly string[], target: string): EntryFault => {
    links.set(own.join('/'), target)
    return leadsOut(own, target, type)
      ? `the link ${show(name)} to ${show(target)}, which leads out of it`
      : undefined
  }
  return (header) => {
    const { name, linkname } = header
    if (name.startsWith('/')) return `the absolute path ${show(name)}`
    const own = split(name)
    if (own.includes('..')) return `the path ${show(name)}, which leads out of it`
    for (let length = 1; length < own.length; length++) {
      if (links.has(own.slice(0, length).join('/')))
        return `the path ${show(name)}, which goes through a link`
    }
    switch (header.type) {
      case 'file':
      case 'contiguous-file':
      case 'directory':
      case 'fifo':
        if (links.has(own.join('/'))) return `the path ${show(name)} twice, once as a link`
        return undefined
      case 'symlink':
        return symlinkFault(name, own, linkname ?? '')
      case 'link': {
        const target = split(linkname ?? '')
        if ((linkname ?? '').startsWith('/') || target.includes('..') || throughLink(target))
          return `the link ${show(name)} to ${show(linkname ?? '')}, which leads out of it`
        // A symbolic link under a second name, from where it may lead elsewhere.
        const leadsTo = links.get(target.join('/'))
        return leadsTo === undefined ? undefined : symlinkFault(name, own, leadsTo)
      }
      default:
        return `${show(name)}, which is a device or of an unknown kind`
    }
  }
}

/** An extractor that judges what is piped into it and keeps nothing; `onFault` is called once, with the first fault. */
export function entryChecker(
  archive: Pick<BackupArchive, 'type'>,
  onFault: (fault: string) => void,
): Writable {
  const judge = entryJudge(archive)
  const tar = extract()
  tar.on('entry', (header, stream, next) => {
    const fault = judge(header)
    if (fault) onFault(fault)
    // The tar's own error says it.
    stream.on('error', () => {})
    stream.on('end', next)
    stream.resume()
  })
  return tar as unknown as Writable
}

/** Until a checker takes more, or has closed. Nothing stays behind that listens: a volume has millions of chunks. */
export function takesMore(checker: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      checker.off('drain', done).off('close', done)
      resolve()
    }
    checker.once('drain', done).once('close', done)
  })
}

function leadsOut(own: readonly string[], target: string, type: BackupArchive['type']): boolean {
  if (target.startsWith('/') && type === 'volume') return true
  let depth = target.startsWith('/') ? 0 : own.length - 1
  for (const part of split(target)) {
    depth += part === '..' ? -1 : 1
    if (depth < 0) return true
  }
  return false
}

function split(name: string): string[] {
  return name.split('/').filter((part) => part !== '' && part !== '.')
}

function show(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name).slice(1, -1)
}
