import path from 'node:path'
import { applyPlan } from '../host/apply.ts'
import { listMisfits } from '../host/backup/plan-restore.ts'
import type { Backup } from '../host/backup/read-backup.ts'
import { openBackup } from '../host/backup/read-backup.ts'
import { refuseSmallEngine } from '../host/backup/restore-space.ts'
import { judgeBindSources, readBindSources } from '../host/bind-sources.ts'
import { refuseFailures } from '../host/finding.ts'
import { emptyState } from '../host/state-document.ts'
import { writeState } from '../host/state-volume.ts'
import type { Step } from '../host/step.ts'
import { changeHost } from './change-host.ts'
import { confirm } from './confirm.ts'
import type { Context } from './context.ts'
import { type InstallOptions, type PreparedInstall, prepareInstall } from './host-plan.ts'
import { planJson } from './plan.ts'
import { printPlan } from './print-plan.ts'

export interface RestoreOptions extends InstallOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Brings a host to what a backup says. The whole file is checked before anything else happens. */
export async function run(
  context: Context,
  options: RestoreOptions,
  [from = '', layout]: string[],
): Promise<undefined> {
  const file = path.resolve(context.cwd, from)
  context.report({ type: 'start', task: `check ${file}` })
  const backup = await openBackup(file, context.signal)
  context.report({
    type: 'finish',
    task: `check ${file}`,
    detail: `${backup.manifest.members.length} checksums`,
  })
  const { header } = backup
  const named = { ...options, name: options.name ?? header.name }
  const prepared = await prepareInstall(context, named, layout, backup)
  const { engine, target, settings, steps } = prepared
  for (const text of listMisfits(header, target)) context.report({ type: 'note', text })
  await refuseSmallEngine(engine, backup)
  refuseFailures(judgeBindSources(await readBindSources(engine, target.containers)))
  const show = (planned: readonly Step[]): void => {
    if (options.json) context.print(planJson(target, planned, settings))
    else printPlan(context, planned)
  }
  if (options.dryRun) {
    show(steps)
    return
  }
  if (!options.json) show(steps)
  const former = steps.some(({ action }) => action === 'remove-container' || action === 'remove-volume')
  if (former && !options.yes)
    await confirm(
      context,
      `Restoring replaces ${target.name} as it is now by the backup of ${header.created}.`,
    )
  const done = await apply(context, prepared, backup)
  if (options.json) show(done)
  else context.print(`${target.name} is what ${header.name} was on ${header.created}.`)
}

async function apply(
  context: Context,
  { engine, target, again }: PreparedInstall,
  backup: Backup,
): Promise<readonly Step[]> {
  const { report, signal } = context
  return changeHost(context, engine, target.name, 'restore', async ({ check }) => {
    const { image, steps, isDamaged } = await again()
    if (isDamaged) await writeState(engine, target.name, emptyState)
    await applyPlan(steps, { engine, image, backup, report, signal, check })
    return steps
  })
}
