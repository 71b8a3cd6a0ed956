/** The little of DNS that the proof speaks: one question of type A, class IN (RFC 1035, section 4). */

const headerLength = 12
const typeA = 1
const classIn = 1

export interface Question {
  readonly id: number
  /** Lower case, without the last dot. */
  readonly name: string
  readonly type: number
}

export interface Answer {
  readonly id: number
  /** 0 is "no error", 3 "no such name" (RFC 1035, 4.1.1). */
  readonly responseCode: number
  /** Dotted IPv4 addresses of the A records. */
  readonly addresses: readonly string[]
}

/** A recursive query for the IPv4 addresses of `name`. */
export function encodeQuery(id: number, name: string): Buffer {
  return Buffer.concat([header(id, 0x0100, 0), encodeQuestion(name, typeA)])
}

/** Reads the one question of a query; undefined where the message is none, or is cut short. */
export function decodeQuery(message: Buffer): Question | undefined {
  if (message.length < headerLength || message.readUInt16BE(2) & 0x8000 || message.readUInt16BE(4) !== 1)
    return undefined
  const name = readName(message, headerLength)
  if (!name || name.end + 4 > message.length) return undefined
  return { id: message.readUInt16BE(0), name: name.text, type: message.readUInt16BE(name.end) }
}

/** Answers with one A record, or with none where the question is for another type, or `address` is undefined. */
export function encodeAnswer(question: Question, address: string | undefined, ttl: number): Buffer {
  const asked = encodeQuestion(question.name, question.type)
  const authoritative = 0x8580
  if (address === undefined) return Buffer.concat([header(question.id, authoritative | 3, 0), asked])
  if (question.type !== typeA) return Buffer.concat([header(question.id, authoritative, 0), asked])
  const record = Buffer.alloc(16)
  record.writeUInt16BE(0xc000 | headerLength, 0)
  record.writeUInt16BE(typeA, 2)
  record.writeUInt16BE(classIn, 4)
  record.writeUInt32BE(ttl, 6)
  record.writeUInt16BE(4, 10)
  for (const [index, part] of address.split('.').entries()) record[12 + index] = Number(part)
  return Buffer.concat([header(question.id, authoritative, 1), asked, record])
}

/** Reads a response; undefined where the message is none, or is cut short. */
export function decodeAnswer(message: Buffer): Answer | undefined {
  if (message.length < headerLength || !(message.readUInt16BE(2) & 0x8000)) return undefined
  let offset = headerLength
  for (let count = message.readUInt16BE(4); count > 0; count--) {
    const name = readName(message, offset)
    if (!name) return undefined
    offset = name.end + 4
  }
  const addresses: string[] = []
  for (let count = message.readUInt16BE(6); count > 0; count--) {
    const name = readName(message, offset)
    if (!name || name.end + 10 > message.length) return undefined
    const start = name.end + 10
    offset = start + message.readUInt16BE(name.end + 8)
    if (offset > message.length) return undefined
    if (message.readUInt16BE(name.end) === typeA && offset === start + 4)
      addresses.push(message.subarray(start, offset).join('.'))
  }
  return { id: message.readUInt16BE(0), responseCode: message.readUInt16BE(2) & 0x0f, addresses }
}

function header(id: number, flags: number, answers: number): Buffer {
  const bytes = Buffer.alloc(headerLength)
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt16BE(1, 4)
  bytes.writeUInt16BE(answers, 6)
  return bytes
}

function encodeQuestion(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`\0${label}`, 'latin1'))
  for (const label of labels) label[0] = label.length - 1
  const end = Buffer.alloc(5)
  end.writeUInt16BE(type, 1)
  end.writeUInt16BE(classIn, 3)
  return Buffer.concat([...labels, end])
}

/** A name at `offset`, and where it ends; compression pointers may only go back (RFC 1035, 4.1.4). */
function readName(message: Buffer, offset: number): { text: string; end: number } | undefined {
  const labels: string[] = []
  let end: number | undefined
  for (let at = offset; at < message.length; ) {
    const length = message[at]!
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: end ?? at + 1 }
    if (length >= 0xc0) {
      if (at + 1 >= message.length) return undefined
      end ??= at + 2
      const target = message.readUInt16BE(at) & 0x3fff
      if (target >= at) return undefined
      at = target
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
  }
  return undefined
}
