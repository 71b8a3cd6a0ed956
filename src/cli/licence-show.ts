import path from 'node:path'
import { readPublicKeys } from '../bundle/key.ts'
import { type Judgement, judgeLicence } from '../bundle/licence/judge-licence.ts'
import { type Licence, parseLicence } from '../bundle/licence/licence.ts'
import { loadDefinition } from '../definition/load.ts'
import { connectEngine } from '../engine/connect.ts'
import { volumesInUse } from '../host/backup/plan-backup.ts'
import { inspectHost } from '../host/inspect.ts'
import { readLicence } from '../host/licence/licence-volume.ts'
import { commandName } from '../lib/command-name.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { describeLicence } from './describe-licence.ts'
import { chooseAppliance } from './host-name.ts'
import { isSigned, readLicenceFile, wasChanged } from './prepare-licence.ts'

export interface ShowLicenceOptions {
  readonly directory: string
  readonly name?: string
  readonly json?: boolean
}

/** Shows a licence file, or the licence on the host; exit code 1 where it has ended or nobody signed it. */
export async function run(
  context: Context,
  options: ShowLicenceOptions,
  [file]: string[],
): Promise<number | undefined> {
  const definition = await loadDefinition(path.resolve(context.cwd, options.directory))
  const { signed, judged } =
    file === undefined ? await onHost(context, options) : await inFile(path.resolve(context.cwd, file))
  const keys = await readPublicKeys(definition.keys)
  const genuine = isSigned(signed, keys)
  const state = genuine ? judged.state : 'forged'
  if (options.json) {
    const { licence, key } = signed
    context.print(JSON.stringify({ state, until: judged.until?.toISOString(), licence, key }, null, 2))
  } else {
    for (const line of describeLicence(signed.licence, genuine ? judged : undefined)) context.print(line)
    if (!genuine)
      context.print(
        wasChanged(signed, keys)
          ? `It was changed after the key ${signed.key} signed it: it does not count.`
          : `Signed by the key ${signed.key}, which is none of ${definition.name}'s: it does not count.`,
      )
  }
  return state === 'valid' ? undefined : exitCodes.failed
}

interface Shown {
  readonly signed: { readonly licence: Licence; readonly key: string; readonly signature: string }
  readonly judged: Judgement
}

/** Of a file, a trial is judged as if it began now. */
async function inFile(file: string): Promise<Shown> {
  const signed = await readLicenceFile(file)
  const now = new Date()
  return { signed, judged: judgeLicence(signed.licence, now, now) }
}

async function onHost(context: Context, options: ShowLicenceOptions): Promise<Shown> {
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const volume = volumesInUse(await inspectHost(engine, name)).find(({ holds }) => holds === 'licence')
  const kept = volume && (await readLicence(engine, name, volume.name))
  if (!kept) {
    throw new SlipwayError(
      'no-licence',
      `${name} holds no licence; \`${commandName()} install --licence FILE\` puts one in place.`,
    )
  }
  const signed = parseLicence(kept.text, `The licence of ${name}`)
  const { time } = await engine.info()
  return { signed, judged: judgeLicence(signed.licence, new Date(kept.since), new Date(time)) }
}
