import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { makeTar, type TinyFile, tinyDate } from './tiny-tar.ts'
import { storeXz } from './tiny-xz.ts'

export type { TinyFile }

/** A package made for a test. Missing directories are not added: list the ones that matter. */
export interface TinyPackage {
  readonly name: string
  readonly version: string
  /** "all" unless told. */
  readonly architecture?: string
  /** More control fields: Depends, Essential … */
  readonly fields?: Readonly<Record<string, string>>
  readonly files?: readonly TinyFile[]
  /** Maintainer scripts and other control members by name: postinst, conffiles, triggers … */
  readonly control?: Readonly<Record<string, string>>
  /** "xz" unless told. */
  readonly compression?: 'xz' | 'gz' | 'none'
}

/** The control stanza, as the .deb and the Packages index give it, without a trailing newline. */
export function controlOf(tiny: TinyPackage): string {
  const fields = {
    Package: tiny.name,
    Version: tiny.version,
    Architecture: tiny.architecture ?? 'all',
    Maintainer: 'Nobody <nobody@mirror.example>',
    'Installed-Size': '1',
    Description: `${tiny.name}, made for a test`,
    ...tiny.fields,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

/** The file name a Debian archive would give it: no epoch. */
export function debFileName(tiny: TinyPackage): string {
  return `${tiny.name}_${tiny.version.replace(/^\d+:/, '')}_${tiny.architecture ?? 'all'}.deb`
}

/** A .deb of format 2.0 (deb(5)); files named without a leading `./` get it. */
export async function makeDeb(tiny: TinyPackage): Promise<Buffer> {
  const files = (tiny.files ?? []).map((file) =>
    /^(\.\/|\/|\.\.)/.test(file.path) ? file : { ...file, path: `./${file.path}` },
  )
  const md5sums = files
    .filter((file) => (file.type ?? 'file') === 'file')
    .map((file) => `${hash('md5', file.content ?? '')}  ${file.path.replace(/^\.\//, '')}\n`)
    .join('')
  const members = { control: `${controlOf(tiny)}\n`, md5sums, ...tiny.control }
  const control = await makeTar(
    Object.entries(members).map(([name, content]) => ({
      path: `./${name}`,
      content,
      mode: /^(pre|post)(inst|rm)$|^config$/.test(name) ? 0o755 : 0o644,
    })),
  )
  return packDeb(control, await makeTar(files), tiny.compression ?? 'xz')
}

/** Wraps two tars, whatever is in them, as a .deb. */
export function packDeb(control: Buffer, data: Buffer, compression: 'xz' | 'gz' | 'none' = 'xz'): Buffer {
  const ending = compression === 'none' ? '' : `.${compression}`
  const compress = { xz: storeXz, gz: gzipSync, none: (tar: Buffer) => tar }[compression]
  return makeAr([
    ['debian-binary', Buffer.from('2.0\n')],
    [`control.tar${ending}`, compress(control)],
    [`data.tar${ending}`, compress(data)],
  ])
}

/** A common-format ar archive (ar(5)). */
export function makeAr(members: readonly (readonly [name: string, data: Buffer])[]): Buffer {
  const parts: Buffer[] = [Buffer.from('!<arch>\n')]
  for (const [name, data] of members) {
    const header = `${name.padEnd(16)}${String(tinyDate).padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(data.length).padEnd(10)}\`\n`
    parts.push(Buffer.from(header), data, Buffer.alloc(data.length % 2, '\n'))
  }
  return Buffer.concat(parts)
}

/** What a Packages index says of a .deb; `path` is its place below the mirror's root. */
export function packagesStanza(tiny: TinyPackage, deb: Buffer, path: string): string {
  return `${controlOf(tiny)}\nFilename: ${path}\nSize: ${deb.length}\nMD5sum: ${hash('md5', deb)}\nSHA256: ${hash('sha256', deb)}\n`
}

function hash(algorithm: string, data: string | Uint8Array): string {
  return createHash(algorithm).update(data).digest('hex')
}
