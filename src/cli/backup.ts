import path from 'node:path'
import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { type PreparedBackup, prepareBackup, takeBackup } from '../host/backup/take-backup.ts'
import type { WrittenBackup } from '../host/backup/write-backup.ts'
import { withBackup } from '../host/state-document.ts'
import { readState, writeState } from '../host/state-volume.ts'
import { formatBytes } from '../lib/bytes.ts'
import { commandName } from '../lib/command-name.ts'
import { plainText } from '../lib/plain-text.ts'
import { typedWord } from '../lib/typed-word.ts'
import { changeHost } from './change-host.ts'
import type { Context } from './context.ts'
import { chooseAppliance } from './host-name.ts'

export interface BackupOptions {
  readonly directory: string
  readonly name?: string
  readonly cache?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Writes settings, licence, changed files and, with --cache, caches to one file. */
export async function run(context: Context, options: BackupOptions, [to = '']: string[]): Promise<undefined> {
  const file = path.resolve(context.cwd, to)
  const engine = await connectEngine(context.env)
  const name = await chooseAppliance(context, engine, options)
  const prepared = await prepareBackup(engine, name, options.cache === true)
  if (options.dryRun) {
    if (options.json)
      context.print(JSON.stringify({ file, ...prepared.header, size: prepared.size }, null, 2))
    else for (const line of describe(prepared)) context.print(line)
    return
  }
  const { size, sha256, manifest } = await take(context, engine, name, file, options)
  if (options.json) {
    context.print(
      JSON.stringify({ file, size, sha256, ...prepared.header, members: manifest.members }, null, 2),
    )
    return
  }
  for (const line of describe(prepared)) context.print(line)
  context.print(`${file}: ${formatBytes(size)}, SHA-256 ${sha256}`)
  context.print(`Next: ${commandName()} restore ${typedWord(file)} --name ${name}`)
}

/** Nothing changes the appliance while it is read; what was taken is noted in its state. */
async function take(
  context: Context,
  engine: Engine,
  name: string,
  file: string,
  options: BackupOptions,
): Promise<WrittenBackup> {
  return changeHost(context, engine, name, 'backup', async () => {
    const prepared = await prepareBackup(engine, name, options.cache === true)
    const written = await takeBackup(prepared, file, context.report, context.signal)
    const { created: at, release } = prepared.header
    const { size, sha256 } = written
    const state = await readState(engine, name)
    await writeState(engine, name, withBackup(state, { at, file, size, sha256, release }))
    return written
  })
}

function describe({ header, size }: PreparedBackup): string[] {
  const { settings, archives } = header
  const volumes = archives.filter(({ type }) => type === 'volume')
  const files = archives.flatMap(({ paths = [] }) => paths)
  const list = (items: readonly string[]): string => (items.length > 0 ? items.join(', ') : 'none')
  return [
    `settings      ${list(Object.entries(settings).map(([key, value]) => `${key}=${value}`))}`,
    `volumes       ${list(volumes.map(({ of }) => of))}${volumes.length > 0 ? ` (${formatBytes(size)})` : ''}`,
    `changed files ${list(files.map(plainText))}`,
  ]
}
