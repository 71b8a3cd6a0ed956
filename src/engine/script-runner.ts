import { randomUUID } from 'node:crypto'
import { pack } from 'tar-stream'
import type { RunRequest, RunStep, ScriptRunner } from '../image/run/script-runner.ts'
import { commandName } from '../lib/command-name.ts'
import { errorCode, SlipwayError } from '../lib/errors.ts'
import { debianArchitecture } from '../lib/platform.ts'
import { captureChanges } from './capture-changes.ts'
import type { ContainerSpec } from './documents.ts'
import type { Engine } from './engine.ts'
import { loadImage } from './load-image.ts'

/** A script that hangs (it waits for an answer, for the network) is given up after this, in milliseconds. */
const patience = 10 * 60 * 1000

/**
 * Runs maintainer scripts in a container that an Engine has from the image so far: no network, a fixed host name, and
 * `policy-rc.d` that forbids starting services. Container and image are removed at the end, whatever it is. The Engine
 * is only asked for when something must run.
 */
export function engineRunner(connect: () => Promise<Engine>): ScriptRunner {
  return {
    run: async (request) => {
      const engine = await connect().catch((error: unknown) => {
        throw needsEngine(request, error as Error)
      })
      await removeLeftovers(engine)
      const reference = `slipway-build:${randomUUID()}`
      let container: string | undefined
      try {
        await loadImage(engine, request.image, [reference], request.report, request.signal)
        const name = reference.replace(':', '-')
        const { platform } = request.image
        container = await engine.containers.create(name, containerSpec(reference), platform)
        await engine.containers.start(container)
        if (engine.version.architecture !== debianArchitecture(platform))
          await requireEmulation(engine, container, request)
        await engine.containers.putArchive(container, '/', await policyArchive())
        for (const step of request.steps) await runStep(engine, container, step, request)
        return await captureChanges(engine, container, request.wanted)
      } finally {
        if (container) await engine.containers.remove(container)
        if (await engine.images.inspect(reference)) await engine.images.remove(reference)
      }
    },
  }
}

const label = { 'io.slipway.build': 'run' }
/** No build runs so long: what is older was left by one that was killed. In seconds. */
const longestRun = 6 * 3600

async function removeLeftovers({ info, containers, images }: Engine): Promise<void> {
  const now = Date.parse((await info()).time) / 1000
  for (const { id, created, name } of await containers.list(label)) {
    if (!(now - created > longestRun)) continue
    await containers.remove(id)
    const reference = name.replace('slipway-build-', 'slipway-build:')
    if (await images.inspect(reference)) await images.remove(reference)
  }
}

function titles({ steps }: RunRequest): string {
  return steps.flatMap((step) => (step.kind === 'script' ? [step.title] : [])).join(', ')
}

function needsEngine(request: RunRequest, error: Error): SlipwayError {
  return new SlipwayError(
    'run-needs-engine',
    `To run ${titles(request)}, the build needs a Docker Engine: ${error.message}`,
    { cause: error },
  )
}

/** Programs of another processor run where the Engine's host hands them to an emulator, as Docker Desktop's does. */
async function requireEmulation(engine: Engine, container: string, request: RunRequest): Promise<void> {
  const wanted = debianArchitecture(request.image.platform)
  const { version, endpoint, containers } = engine
  const { signal } = request
  const runs = await containers.exec(container, ['/bin/sleep', '0'], { user: '0', signal }).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  )
  signal.throwIfAborted()
  if (runs) {
    const text = `The Engine at ${endpoint.address} is of ${version.architecture}: its host emulates ${wanted} for the scripts.`
    return request.report({ type: 'note', text })
  }
  throw new SlipwayError(
    'run-needs-platform',
    `To run ${titles(request)}, the build needs an Engine whose host runs programs of ${wanted}, and the one at ${endpoint.address} is of ${version.architecture} and emulates none: install qemu-user-static there, name another with DOCKER_HOST, or build other platforms here: ${commandName()} build --platform linux/${version.architecture}`,
  )
}

function containerSpec(image: string): ContainerSpec {
  return {
    Image: image,
    Entrypoint: [],
    Cmd: ['/bin/sleep', 'infinity'],
    User: '0:0',
    WorkingDir: '/',
    Hostname: 'slipway',
    Labels: label,
    HostConfig: { NetworkMode: 'none', Init: true, PidsLimit: 1024 },
  }
}

/** What invoke-rc.d asks before it starts a service: 101 forbids it (Debian's policy-rc.d interface). */
async function policyArchive(): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: 'usr/sbin/policy-rc.d', mode: 0o755, mtime: new Date(0) }, '#!/bin/sh\nexit 101\n')
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function runStep(
  { containers }: Engine,
  container: string,
  step: RunStep,
  { signal, report }: RunRequest,
): Promise<void> {
  signal.throwIfAborted()
  if (step.kind === 'files') return containers.putArchive(container, '/', Buffer.from(step.tar))
  report({ type: 'note', text: `Running ${step.title} in a container.` })
  const env = Object.entries(step.env).map(([name, value]) => `${name}=${value}`)
  try {
    const done = await containers.exec(container, step.command, { user: '0', env, timeout: patience, signal })
    if (done.exitCode === 0) return
    throw scriptFailed(step.title, `ended with exit code ${done.exitCode}`, done.stdout + done.stderr)
  } catch (error) {
    if (errorCode(error) !== 'exec-timeout') throw error
    throw scriptFailed(step.title, `did not end in ${patience / 60_000} minutes`, '')
  }
}

function scriptFailed(title: string, how: string, output: string): SlipwayError {
  const said = output.trim().split('\n').slice(-5).join(' / ')
  return new SlipwayError(
    'script-failed',
    `In a container of the image so far, ${title} ${how}${said ? `, having said: ${said}` : ''}. What it calls must be in the image (see packages and exclude); or describe it in a recipe.`,
  )
}
