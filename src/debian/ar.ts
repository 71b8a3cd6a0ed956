import { SlipwayError } from '../lib/errors.ts'

const magic = '!<arch>\n'
const headerLength = 60

/** A member of an ar archive: a view, not a copy. */
export interface ArMember {
  readonly name: string
  readonly data: Uint8Array
}

/** Reads a common-format ar archive (ar(5), deb(5)); throws `damaged-deb` where it is not one or ends early. */
export function readAr(archive: Uint8Array): ArMember[] {
  if (ascii(archive, 0, magic.length) !== magic) throw damaged('it does not begin like an ar archive')
  const members: ArMember[] = []
  let offset = magic.length
  while (offset < archive.length) {
    if (offset + headerLength > archive.length) throw damaged('it ends inside a member header')
    if (ascii(archive, offset + 58, 2) !== '`\n') throw damaged('a member header has no end mark')
    const sizeText = ascii(archive, offset + 48, 10).trim()
    const size = Number(sizeText)
    if (!/^\d+$/.test(sizeText)) throw damaged('a member has no size')
    const start = offset + headerLength
    if (start + size > archive.length) throw damaged('it ends inside a member')
    members.push({
      name: ascii(archive, offset, 16).trim().replace(/\/$/, ''),
      data: archive.subarray(start, start + size),
    })
    offset = start + size + (size % 2)
  }
  return members
}

export function damaged(reason: string): SlipwayError {
  return new SlipwayError('damaged-deb', `The package file is damaged: ${reason}.`)
}

function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(
    bytes.buffer,
    bytes.byteOffset + offset,
    Math.min(length, bytes.length - offset),
  ).toString('latin1')
}
