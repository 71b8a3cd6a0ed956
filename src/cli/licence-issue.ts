import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { keyId } from '../bundle/key.ts'
import { formatLicence, type Licence, licenceBytes, parseDay } from '../bundle/licence/licence.ts'
import { signBytes } from '../bundle/sign.ts'
import type { Definition } from '../definition/definition.ts'
import { loadDefinition } from '../definition/load.ts'
import { writeFileAtomic } from '../lib/atomic.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { parseJson } from '../lib/parse-json.ts'
import { typedWord } from '../lib/typed-word.ts'
import type { Context } from './context.ts'
import { describeLicence } from './describe-licence.ts'
import { readSigningKey, refuseUnknownKey, type SigningOptions } from './signing-key.ts'

export interface IssueOptions extends SigningOptions {
  readonly directory: string
  readonly customer: string
  readonly feature?: readonly string[]
  readonly expires?: string
  readonly trial?: string
  readonly id?: string
  readonly out?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Writes a signed licence for a customer of this product. */
export async function run(context: Context, options: IssueOptions): Promise<undefined> {
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
  const wanted = definition.components.flatMap(({ licence }) => (licence === undefined ? [] : [licence]))
  const features = [...new Set(options.feature ?? wanted)].sort()
  refuseUnasked(definition, features, wanted)
  const issued = new Date().toISOString().slice(0, 10)
  const licence: Licence = {
    format: 1,
    id: options.id ?? randomUUID(),
    product: definition.name,
    customer: readCustomer(options.customer),
    features,
    issued,
    ...(options.expires !== undefined && { expires: readDay(options.expires) }),
    ...(options.trial !== undefined && { trialDays: readDays(options.trial) }),
  }
  const signer = await readSigningKey(context, options)
  await refuseUnknownKey(definition, signer, options.key, 'licence')
  const signed = { licence, key: keyId(signer), signature: signBytes(signer, licenceBytes(licence)) }
  const file = path.resolve(context.cwd, options.out ?? `licence-${fileName(options.customer)}.json`)
  await refuseAnothers(file, licence)
  if (!options.dryRun) await writeFileAtomic(file, formatLicence(signed))
  if (options.json) context.print(JSON.stringify({ file, licence, key: signed.key }, null, 2))
  else {
    for (const line of describeLicence(licence)) context.print(line)
    const ended = licence.expires !== undefined && licence.expires < issued
    if (ended) context.print(`It ended on ${licence.expires}: no host takes it.`)
    const next = ended ? '' : ` Next: ${commandName()} install --licence ${typedWord(path.basename(file))}`
    if (!options.dryRun) context.print(`Written to ${file}.${next}`)
  }
}

/** A feature that nothing asks for is mostly one that is misspelt: the licence would be refused on the customer's host. */
function refuseUnasked({ name }: Definition, features: readonly string[], wanted: readonly string[]): void {
  if (wanted.length === 0)
    throw badInput(
      'no-licence-asked',
      `No component of ${name} asks for a licence; write licence: FEATURE into the component.yaml of one that does.`,
    )
  for (const feature of features) {
    if (wanted.includes(feature)) continue
    const near = nearest(feature, wanted)[0]
    throw badInput(
      'no-such-feature',
      `No component of ${name} asks for the feature "${feature}"; those asked for are ${[...new Set(wanted)].join(', ')}${near ? `; did you mean --feature ${near}?` : '.'}`,
    )
  }
}

function readCustomer(text: string): string {
  const line = text.trim()
  if (line !== '' && !/\p{Cc}/u.test(line)) return line
  throw badInput('bad-usage', '--customer is empty, or more than one line; write a name in one line.')
}

/** A renewed licence takes the place of the one before; another file, or another customer's licence, stays. */
async function refuseAnothers(file: string, { customer, product }: Licence): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    const why = errorCode(error) === 'EISDIR' ? 'is a folder' : `cannot be a file (${errorCode(error)})`
    throw badInput('no-licence-file', `${file} ${why}; name a file with --out FILE.`, error)
  })
  if (text === undefined) return
  const there = Object(parseJson(text)).licence
  if (there?.customer === customer && there.product === product) return
  throw badInput(
    'licence-exists',
    `${file} is there already and no licence of ${customer} for ${product}; choose another name with --out FILE.`,
  )
}

function readDay(text: string): string {
  if (parseDay(text)) return text
  throw badInput('bad-day', `--expires "${text}" is no day; write one such as 2027-12-31.`)
}

function readDays(text: string): number {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (days > 0) return days
  throw badInput('bad-days', `--trial "${text}" is no number of days; write one such as 30.`)
}

/** Letters and digits of a customer's name, for a file's. */
function fileName(customer: string): string {
  return (
    customer
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'customer'
  )
}
