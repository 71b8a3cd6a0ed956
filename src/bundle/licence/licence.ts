import { badInput } from '../../lib/errors.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { plainText } from '../../lib/plain-text.ts'

/** What a partner grants a customer. Times are dates: "2027-01-31" is the last day on which it holds, in UTC. */
export interface Licence {
  readonly format: 1
  /** A partner's own number, or a random one; trials are counted by it. */
  readonly id: string
  /** The product's name, as appliance.yaml has it. */
  readonly product: string
  readonly customer: string
  /** What it grants: names that components ask for. Sorted. */
  readonly features: readonly string[]
  readonly issued: string
  /** Absent: for ever. */
  readonly expires?: string
  /** Days from its first install; with `expires`, whatever comes first. */
  readonly trialDays?: number
}

/** A licence with its signature, as the file holds it. */
export interface SignedLicence {
  readonly licence: Licence
  /** ID of the key that signed it. */
  readonly key: string
  /** Base64, over `licenceBytes`. */
  readonly signature: string
}

/** The bytes that are signed: the licence's JSON without white space, in the order of the file. */
export function licenceBytes(licence: unknown): Buffer {
  return Buffer.from(JSON.stringify(licence))
}

export function formatLicence(signed: SignedLicence): string {
  return `${JSON.stringify(signed, null, 2)}\n`
}

/**
 * Reads a licence file; what it says is to be believed only after its signature. Throws `bad-licence`, exit code 2,
 * `newer-licence` for a later format.
 */
export function parseLicence(text: string, file: string): SignedLicence {
  const value = parseJson(text)
  if (!isRecord(value) || !isRecord(value.licence)) throw bad(file, 'it is not a licence file')
  const { licence, key, signature } = value
  // Both are shown, or kept, before anybody knows who wrote them.
  if (!isText(key) || !isText(signature)) throw bad(file, 'it is not signed')
  if (typeof licence.format === 'number' && licence.format > 1) {
    throw badInput(
      'newer-licence',
      `${file} is a licence of format ${licence.format}, and this program reads format 1; take the newer installer that came with it.`,
    )
  }
  const wrong = wrongField(licence)
  if (wrong) throw bad(file, wrong)
  return { licence: licence as unknown as Licence, key, signature }
}

/** The day, of a date as `Licence` has it; undefined for what is no day of the calendar. */
export function parseDay(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const day = new Date(`${text}T00:00:00Z`)
  return Number.isNaN(day.valueOf()) || day.toISOString().slice(0, 10) !== text ? undefined : day
}

type Rule = (value: unknown) => boolean

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !/\p{Cc}/u.test(value)
const isDay: Rule = (value) => typeof value === 'string' && parseDay(value) !== undefined
const rules: Readonly<Record<keyof Licence, Rule>> = {
  format: (value) => value === 1,
  id: isText,
  product: isText,
  customer: isText,
  features: (value) => Array.isArray(value) && value.every(isText),
  issued: isDay,
  expires: (value) => value === undefined || isDay(value),
  trialDays: (value) => value === undefined || (Number.isInteger(value) && Number(value) > 0),
}

function wrongField(licence: Readonly<Record<string, unknown>>): string | undefined {
  const unknown = Object.keys(licence).find((key) => !Object.hasOwn(rules, key))
  if (unknown !== undefined) return `it holds the unknown field ${plainText(unknown)}`
  const wrong = Object.entries(rules).find(([key, rule]) => !rule(licence[key]))
  return wrong && `its field ${wrong[0]} is missing or wrong`
}

function bad(file: string, reason: string): Error {
  return badInput(
    'bad-licence',
    `${file} cannot be used as a licence: ${reason}; ask its issuer for another.`,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
