import { programName } from '../../lib/command-name.ts'
import { badInput } from '../../lib/errors.ts'
import { damaged } from './damaged.ts'
import {
  type BackupArchive,
  type BackupHeader,
  type BackupManifest,
  backupFormat,
  headerName,
  manifestName,
} from './format.ts'

type Json = Readonly<Record<string, unknown>>

/** Reads `backup.json`. Throws `newer-backup` for a format of a later Slipway, `damaged-backup` for what is none. */
export function readHeader(file: string, content: Buffer): BackupHeader {
  const value = parse(file, headerName, content)
  if (value.kind !== 'slipway-backup' || !Number.isInteger(value.format) || Number(value.format) < 1)
    throw damaged(file, `${headerName} is not of a backup`)
  if (Number(value.format) > backupFormat) {
    throw badInput(
      'newer-backup',
      `${file} was written by a newer ${programName()} (backup format ${value.format}, and this one reads ${backupFormat}); nothing was changed. Restore it with that ${programName()}.`,
    )
  }
  const right =
    ['name', 'product', 'release', 'profile', 'created'].every((key) => typeof value[key] === 'string') &&
    !Number.isNaN(Date.parse(String(value.created))) &&
    isTexts(value.images) &&
    isObject(value.settings) &&
    Object.values(value.settings).every((one) => typeof one === 'string') &&
    Array.isArray(value.archives) &&
    value.archives.every(isArchive)
  if (!right) throw damaged(file, `${headerName} lacks what a backup must say`)
  return value as unknown as BackupHeader
}

/** Reads `manifest.json`. */
export function readManifest(file: string, content: Buffer): BackupManifest {
  const { members } = parse(file, manifestName, content)
  const right =
    Array.isArray(members) &&
    members.every(
      (one) =>
        isObject(one) &&
        typeof one.name === 'string' &&
        typeof one.size === 'number' &&
        typeof one.sha256 === 'string',
    )
  if (!right) throw damaged(file, `${manifestName} is not of a backup`)
  return { members: members as BackupManifest['members'] }
}

/** A key of the Compose file becomes part of names on the Engine. */
function isArchive(value: unknown): value is BackupArchive {
  return (
    isObject(value) &&
    (value.type === 'volume' || value.type === 'configuration') &&
    typeof value.of === 'string' &&
    /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value.of) &&
    (value.holds === undefined || typeof value.holds === 'string') &&
    (value.paths === undefined || isTexts(value.paths))
  )
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(file: string, name: string, content: Buffer): Json {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'))
    if (isObject(value)) return value
  } catch (error) {
    throw damaged(file, `${name} is no JSON`, error)
  }
  throw damaged(file, `${name} is not of a backup`)
}
