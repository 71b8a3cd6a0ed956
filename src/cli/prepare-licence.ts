import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { keyId, readPublicKeys } from '../bundle/key.ts'
import { formatLicence, licenceBytes, parseLicence, type SignedLicence } from '../bundle/licence/licence.ts'
import { verifyBytes } from '../bundle/signature.ts'
import type { Compose } from '../definition/compose.ts'
import type { Definition } from '../definition/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { nameOnEngine } from '../host/container-spec.ts'
import { checkLicence, type HeldLicence, presentRelease } from '../host/licence/check-licence.ts'
import { readLicence } from '../host/licence/licence-volume.ts'
import type { LicenceChange } from '../host/licence/plan-licence.ts'
import type { HostState } from '../host/state.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'

export interface PreparedLicence {
  /** Absent: the licence on the host stays as it is. */
  readonly change?: LicenceChange
  /** What is to be written, with `change`. */
  readonly text?: string
  readonly notes: readonly string[]
}

export const noLicence: PreparedLicence = { notes: [] }

/**
 * Which licence an install puts in place, after signature, product, features and time of it and of the one on the
 * host were looked at. Changes nothing. Throws as `parseLicence` and `checkLicence`, and `licence-forged`,
 * `no-licence-needed`.
 */
export async function prepareLicence(
  context: Context,
  engine: Engine,
  definition: Definition,
  compose: Compose,
  current: HostState,
  file: string | undefined,
): Promise<PreparedLicence> {
  const wanted = definition.components.flatMap(({ licence }) => (licence === undefined ? [] : [licence]))
  const declared = compose.volumes.find(({ holds }) => holds === 'licence')
  if (!declared) {
    if (file === undefined) return noLicence
    throw badInput('no-licence-needed', `${definition.name} asks for no licence; leave --licence out.`)
  }
  const volume = nameOnEngine(current.name, declared)
  const [keys, kept, { time }] = await Promise.all([
    readPublicKeys(definition.keys),
    readLicence(engine, current.name, volume),
    engine.info(),
  ])
  const now = new Date(time)
  const installed = kept && hold(kept.text, kept.since, keys)
  const given = file === undefined ? undefined : await readGiven(context, file, keys, installed, now)
  const running = presentRelease(current.containers, definition.version)
  const notes = checkLicence({
    product: definition.name,
    wanted,
    ...(given && { given }),
    ...(installed && { installed }),
    ...(running !== undefined && { running }),
    release: definition.version,
    now,
  })
  if (!given || given.text === kept?.text) return { notes }
  const { id, customer } = given.licence
  return { notes, text: given.text, change: { id, customer, since: given.since, volume } }
}

/** A licence on a host; 'forged' where it is none, or no key signed it. */
function hold(text: string, since: string, keys: readonly KeyObject[]): HeldLicence | 'forged' {
  try {
    const signed = parseLicence(text, 'the licence on the host')
    return isSigned(signed, keys) ? { licence: signed.licence, since } : 'forged'
  } catch {
    return 'forged'
  }
}

/** Renewing a trial by giving it again does not begin it anew. */
async function readGiven(
  context: Context,
  file: string,
  keys: readonly KeyObject[],
  installed: HeldLicence | 'forged' | undefined,
  now: Date,
): Promise<HeldLicence & { readonly text: string }> {
  const signed = await readLicenceFile(path.resolve(context.cwd, file))
  if (!isSigned(signed, keys)) {
    throw badInput(
      'licence-forged',
      wasChanged(signed, keys)
        ? `${file} was changed after it was signed; ask the vendor for a whole one.`
        : `${file} was signed by the key ${signed.key}, which is none of this product's; ask the vendor for a licence of theirs.`,
    )
  }
  const same = installed && installed !== 'forged' && installed.licence.id === signed.licence.id
  return {
    licence: signed.licence,
    since: same ? installed.since : now.toISOString(),
    text: formatLicence(signed),
  }
}

export async function readLicenceFile(file: string): Promise<SignedLicence> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw badInput(
      'no-licence-file',
      `The licence ${file} cannot be read; name the file you were sent.`,
      error,
    )
  })
  return parseLicence(text, file)
}

/** Whether an unsigned licence names a key of ours: then what it says is not what was signed. */
export function wasChanged({ key }: SignedLicence, keys: readonly KeyObject[]): boolean {
  return keys.some((one) => keyId(one) === key)
}

export function isSigned({ licence, signature }: SignedLicence, keys: readonly KeyObject[]): boolean {
  return keys.some((key) => verifyBytes(key, licenceBytes(licence), signature))
}
