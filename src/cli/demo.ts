import path from 'node:path'
import { loadDefinition } from '../definition/load.ts'
import { loadProfile } from '../definition/profile-load.ts'
import { connectEngine } from '../engine/connect.ts'
import { inspectHost } from '../host/inspect.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { findAppliance } from './demo/appliance-access.ts'
import { buildReference } from './demo/build-reference.ts'
import { ensureEngine, type RunningEngine } from './demo/engine-setup.ts'
import { choosePorts } from './demo/free-ports.ts'
import { branchLink, prove } from './demo/proof.ts'
import { formatProof } from './demo/proof-table.ts'
import { run as install } from './install.ts'

export interface DemoOptions {
  readonly directory: string
  readonly name?: string
  readonly profile?: string
  readonly json?: boolean
}

const objectBytes = 5_000_000

/** From a fresh clone to a proof on screen; run again, it changes nothing and proves it again. */
export async function run(context: Context, options: DemoOptions): Promise<undefined> {
  const directory = path.resolve(context.cwd, options.directory)
  const definition = await loadDefinition(directory)
  const profile = await loadProfile(definition, options.profile ?? 'branch')
  const name = options.name ?? definition.name
  // Under --json only the result goes to standard output.
  const say = (text: string): void =>
    options.json ? context.report({ type: 'note', text }) : context.print(text)
  const steps: Context = { ...context, print: say }

  say('1. A Docker Engine')
  const started = await ensureEngine({
    say,
    env: context.env,
    connect: connectEngine,
    signal: context.signal,
  })
  const engine = await connectEngine(context.env)
  if (engine.endpoint.host)
    throw badInput(
      'engine-elsewhere',
      `The proof needs the Engine of this machine, and ${engine.endpoint.address} is another’s; unset DOCKER_HOST, or use ${commandName()} install there.`,
    )
  say(`Docker Engine ${engine.version.engine} answers (API ${engine.version.api}).`)

  say(`\n2. Build ${definition.name} ${definition.version}`)
  await buildReference(steps, directory, `linux/${engine.version.architecture}`)

  say(`\n3. Install it with the profile ${profile.name}`)
  const set = await choosePorts(profile, await inspectHost(engine, name), say)
  await install(steps, { directory, name, profile: profile.name, set }, [])

  say('\n4. Prove it')
  const access = await findAppliance(engine, name)
  const proof = await prove(engine, access, { speed: branchLink, objectBytes, signal: context.signal, say })
  if (options.json) {
    const { names, proxy } = access
    context.print(JSON.stringify({ name, engine: engine.version, names, proxy, proof }, null, 2))
    return
  }
  for (const line of [
    '',
    ...formatProof(proof),
    '',
    ...nextCommands(name === definition.name ? '' : ` --name ${name}`, profile.name, set, started),
  ])
    say(line)
}

function nextCommands(
  named: string,
  profile: string,
  set: readonly string[],
  { started }: RunningEngine,
): string[] {
  const settings = set.map((setting) => ` --set ${setting}`).join('')
  const commands = [
    [`npx ${commandName()} status${named}`, 'how it fares'],
    [
      `npx ${commandName()} plan --profile ${profile}${named}${settings}`,
      'what an install would change: nothing',
    ],
    [`npx ${commandName()} why libssl3t64`, 'why a package is in the image'],
    [`npx ${commandName()} uninstall${named}`, 'take it off this host again'],
    ...(started ? [[started.stopCommand, `stop the Docker Engine, which was started ${started.how}`]] : []),
  ] as const
  const width = Math.max(...commands.map(([command]) => command.length))
  return ['Next:', ...commands.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`)]
}
