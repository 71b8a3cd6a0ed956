import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { keyId } from '../bundle/key.ts'
import { formatLicence, type Licence, licenceBytes, parseDay } from '../bundle/licence/licence.ts'
import { signBytes } from '../bundle/signature.ts'
import { loadDefinition } from '../definition/load.ts'
import { writeFileAtomic } from '../lib/atomic.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
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
  const licence: Licence = {
    format: 1,
    id: options.id ?? randomUUID(),
    product: definition.name,
    customer: options.customer,
    features: [...new Set(options.feature ?? wanted)].sort(),
    issued: new Date().toISOString().slice(0, 10),
    ...(options.expires !== undefined && { expires: readDay(options.expires) }),
    ...(options.trial !== undefined && { trialDays: readDays(options.trial) }),
  }
  const signer = await readSigningKey(context, options)
  await refuseUnknownKey(definition, signer, options.key, 'licence')
  const signed = { licence, key: keyId(signer), signature: signBytes(signer, licenceBytes(licence)) }
  const file = path.resolve(context.cwd, options.out ?? `licence-${fileName(options.customer)}.json`)
  if (!options.dryRun) await writeFileAtomic(file, formatLicence(signed))
  if (options.json) context.print(JSON.stringify({ file, licence, key: signed.key }, null, 2))
  else {
    for (const line of describeLicence(licence)) context.print(line)
    if (!options.dryRun)
      context.print(`Written to ${file}. Next: ${commandName()} install --licence ${path.basename(file)}`)
  }
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
