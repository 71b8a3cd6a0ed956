import { createHash } from 'node:crypto'
import { SlipwayError } from '../../lib/errors.ts'

/** The DER bytes of a PEM file with one certificate; undefined where it holds none or several (RFC 7468). */
export function certificateOf(pem: string): Uint8Array | undefined {
  const found = [
    ...pem.matchAll(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]*)-----END (?:TRUSTED )?CERTIFICATE-----/g),
  ]
  return found.length === 1 ? Buffer.from(found[0]![1]!, 'base64') : undefined
}

/**
 * The name that OpenSSL looks a certificate up by in a directory: eight hex digits, the first four bytes, last first,
 * of the SHA-1 of the subject in canonical form (openssl-x509(1), `-subject_hash`).
 */
export function subjectHash(certificate: Uint8Array): string {
  const [outer] = children(certificate)
  const [body] = outer ? children(outer.value) : []
  const fields = body ? children(body.value) : []
  const first = fields[0]?.tag === 0xa0 ? 1 : 0
  // serial number, signature algorithm, issuer, validity, subject (RFC 5280, 4.1)
  const subject = fields[first + 4]
  if (!subject) throw notDer()
  const canonical = Buffer.concat(children(subject.value).map(canonicalSet))
  const digest = createHash('sha1').update(canonical).digest()
  return digest.readUInt32LE(0).toString(16).padStart(8, '0')
}

interface Element {
  readonly tag: number
  readonly value: Buffer
}

function canonicalSet(set: Element): Buffer {
  const attributes = children(set.value).map((attribute) => {
    const [type, value] = children(attribute.value)
    return encode(0x30, Buffer.concat([encode(type!.tag, type!.value), canonicalValue(value!)]))
  })
  return encode(0x31, Buffer.concat(attributes.sort(Buffer.compare)))
}

const utf8String = 0x0c

/** Text becomes UTF-8, in lower case (ASCII only), with single blanks inside and none around. */
function canonicalValue(value: Element): Buffer {
  const text = textOf(value)
  if (text === undefined) return encode(value.tag, value.value)
  const plain = text
    .replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '')
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return encode(utf8String, Buffer.from(plain, 'utf8'))
}

function textOf({ tag, value }: Element): string | undefined {
  switch (tag) {
    case utf8String:
      return value.toString('utf8')
    case 0x13: // PrintableString
    case 0x14: // T61String
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return value.toString('latin1')
    case 0x1e: // BMPString
      return Buffer.from(value).swap16().toString('utf16le')
    case 0x1c: {
      // UniversalString
      let text = ''
      for (let index = 0; index + 4 <= value.length; index += 4)
        text += String.fromCodePoint(value.readUInt32BE(index))
      return text
    }
    default:
      return undefined
  }
}

/** The elements of a DER value one after the other (X.690, 8.1). */
function children(bytes: Uint8Array): Element[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const elements: Element[] = []
  let offset = 0
  while (offset < data.length) {
    const tag = data[offset]!
    let length = data[offset + 1] ?? 0
    let start = offset + 2
    if (length & 0x80) {
      const bytesOfLength = length & 0x7f
      length =
        bytesOfLength > 0 && bytesOfLength <= 4 && start + bytesOfLength <= data.length
          ? data.readUIntBE(start, bytesOfLength)
          : Number.NaN
      start += bytesOfLength
    }
    if (!(start + length <= data.length)) throw notDer()
    elements.push({ tag, value: data.subarray(start, start + length) })
    offset = start + length
  }
  return elements
}

function notDer(): SlipwayError {
  return new SlipwayError('bad-certificate', 'A certificate of the image is not valid DER.')
}

function encode(tag: number, value: Uint8Array): Buffer {
  const length = value.length
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}
