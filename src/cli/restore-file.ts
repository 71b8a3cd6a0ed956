import { connectEngine } from '../engine/connect.ts'
import type { Engine } from '../engine/engine.ts'
import { applyPlan } from '../host/apply.ts'
import { describePlan } from '../host/describe-plan.ts'
import { inspectHost } from '../host/inspect.ts'
import { type FileWish, planRestoreFile } from '../host/plan-restore-file.ts'
import { checkPath, lookAtFile } from '../host/restore-file.ts'
import type { Step } from '../host/step.ts'
import { commandName } from '../lib/command-name.ts'
import { typedWord } from '../lib/typed-word.ts'
import { changeHost } from './change-host.ts'
import type { Context } from './context.ts'
import { noSuchService } from './drift.ts'
import { chooseAppliance } from './host-name.ts'
import { printPlan } from './print-plan.ts'

export interface RestoreFileOptions {
  readonly directory: string
  readonly name?: string
  readonly service?: string
  readonly undo?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Puts one file back as the image has it, in every service where it differs, and makes the service take it. */
export async function run(
  context: Context,
  options: RestoreFileOptions,
  [file = '']: string[],
): Promise<undefined> {
  checkPath(file)
  const engine = await connectEngine(context.env)
  const appliance = await chooseAppliance(context, engine, options)
  const wish: FileWish = { appliance, path: file, from: options.undo ? 'kept' : 'image' }
  if (options.dryRun) {
    const steps = await plan(engine, wish, options.service)
    if (options.json) context.print(toJson(wish, steps))
    else if (steps.length > 0) printPlan(context, steps)
    else context.print(`${file} is as it should be; nothing to do.`)
    return
  }
  const { report, signal } = context
  await changeHost(context, engine, appliance, `restore-file ${file}`, async ({ check }) => {
    const steps = await plan(engine, wish, options.service)
    await applyPlan(steps, { engine, report, signal, check })
    if (options.json) context.print(toJson(wish, steps))
    else context.print(closing(wish, steps))
  })
}

async function plan(engine: Engine, wish: FileWish, service: string | undefined): Promise<Step[]> {
  const current = await inspectHost(engine, wish.appliance)
  const containers = current.containers.filter((one) => service === undefined || one.service === service)
  if (containers.length === 0) throw noSuchService(wish.appliance, service)
  return planRestoreFile(await lookAtFile(engine, containers, wish), wish)
}

function closing({ appliance, path: file, from }: FileWish, steps: readonly Step[]): string {
  const services = steps.flatMap((step) => (step.action === 'restore-file' ? [step.service] : []))
  if (services.length === 0) return `${file} is as it should be; nothing was changed.`
  const where = `in ${services.join(' and ')} of ${appliance}`
  return from === 'image'
    ? `${file} ${where} is as in the image; \`${commandName()} restore-file --undo ${typedWord(file)}\` brings back what was there.`
    : `${file} ${where} is as it was; \`${commandName()} restore-file --undo ${typedWord(file)}\` changes it back.`
}

function toJson({ appliance, path: file, from }: FileWish, steps: readonly Step[]): string {
  return JSON.stringify({ name: appliance, path: file, from, changes: describePlan(steps), steps }, null, 2)
}
