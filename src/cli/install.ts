import os from 'node:os'
import type { Engine } from '../engine/engine.ts'
import { applyPlan } from '../host/apply.ts'
import { type HostStatus, readStatus } from '../host/status.ts'
import type { Step } from '../host/step.ts'
import { commandName } from '../lib/command-name.ts'
import { changeHost } from './change-host.ts'
import type { Context } from './context.ts'
import { type InstallOptions, type PreparedInstall, prepareInstall } from './host-plan.ts'
import { planJson, showPlan } from './plan.ts'
import { showPort } from './port-text.ts'
import { preflightInstall } from './preflight.ts'
import { printPlan } from './print-plan.ts'

export interface ApplyOptions extends InstallOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export async function run(context: Context, options: ApplyOptions, args: string[]): Promise<undefined> {
  const prepared = await prepareInstall(context, options, args[0])
  const { engine, target, settings, steps } = prepared
  if (options.dryRun) {
    showPlan(context, options, prepared)
    return
  }
  if (steps.length > 0) await preflightInstall(context, prepared)
  const done = steps.length > 0 ? await apply(context, options, prepared) : steps
  if (options.json) {
    context.print(planJson(target, done, settings))
    return
  }
  if (done.length === 0) context.print(`${target.name} is as it should be; nothing was changed.`)
  printAddresses(context, engine, await readStatus(engine, target.name), target.release)
}

async function apply(
  context: Context,
  options: ApplyOptions,
  { engine, target, again }: PreparedInstall,
): Promise<readonly Step[]> {
  const { report, signal } = context
  return changeHost(context, engine, target.name, 'install', async ({ check }) => {
    const { image, steps, licence } = await again()
    if (!options.json) printPlan(context, steps)
    await applyPlan(steps, { engine, image, report, signal, check, ...(licence && { licence }) })
    return steps
  })
}

function printAddresses(context: Context, engine: Engine, status: HostStatus, release: string): void {
  const address = hostAddress(engine)
  context.print(`${status.name} ${release} is up on ${address}:`)
  const width = Math.max(...status.services.map((one) => one.service.length))
  for (const { service, ports, health } of status.services) {
    const where = ports.map(showPort).join(', ') || 'no published port'
    context.print(`  ${service.padEnd(width)}  ${where}${health === 'none' ? '' : `  (${health})`}`)
  }
  context.print(
    `Next: ${commandName()} status --name ${status.name} · ${commandName()} uninstall --name ${status.name}`,
  )
}

/** Where clients find the Engine's published ports. */
function hostAddress(engine: Engine): string {
  if (engine.endpoint.host) return engine.endpoint.host
  const addresses = Object.values(os.networkInterfaces()).flatMap((one) => one ?? [])
  const virtual = /^(docker|br-|veth)/
  const outward = Object.entries(os.networkInterfaces())
    .filter(([name]) => !virtual.test(name))
    .flatMap(([, one]) => one ?? [])
    .find((one) => one.family === 'IPv4' && !one.internal)
  return (outward ?? addresses.find((one) => one.family === 'IPv4'))?.address ?? '127.0.0.1'
}
