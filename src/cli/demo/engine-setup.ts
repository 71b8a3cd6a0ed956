import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import { findEndpoint } from '../../engine/endpoint.ts'
import { exitCodes, SlipwayError } from '../../lib/errors.ts'
import { canInstallPackages, installPackages, missingPackages } from './apt.ts'

/**
 * The demo and the tests only: an Engine for a machine that has none. The one place that starts programs of the host;
 * everything else speaks the Engine's API.
 */
export interface EngineSetup {
  readonly say: (line: string) => void
  readonly env: NodeJS.ProcessEnv
  /** Reaches the Engine, or throws why not (`connectEngine`). */
  readonly connect: (env: NodeJS.ProcessEnv) => Promise<unknown>
  readonly signal?: AbortSignal
}

export interface RunningEngine {
  /** What was started here, and how to stop it; absent where an Engine answered already. */
  readonly started?: { readonly how: string; readonly stopCommand: string }
  /** Stops what was started here; nothing otherwise. */
  readonly stop: () => Promise<void>
}

export const enginePackages = ['docker.io', 'iptables'] as const

const setupLog = '/var/log/slipway-setup.log'
const daemonLog = '/var/log/slipway-dockerd.log'
const startPatience = 60_000

/** Returns once an Engine answers, installing and starting one where that can be done; else throws with exit code 3. */
export async function ensureEngine(setup: EngineSetup): Promise<RunningEngine> {
  const problem = await probe(setup)
  if (!problem) return { stop: async () => {} }
  // An Engine that somebody chose, or that answers but cannot be used, is theirs to mend.
  if (problem.code !== 'no-engine' || findEndpoint(setup.env).source !== 'default')
    throw noEngine(problem.message, problem)
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw noEngine(adviseOnEngine(process.platform), problem)
  if (!findProgram('dockerd', setup.env) || !findProgram('iptables', setup.env)) {
    if (!(await canInstallPackages())) throw noEngine(adviseOnEngine('linux'), problem)
    setup.say('No Docker Engine answers here; installing the distribution’s own.')
    const missing = await missingPackages(enginePackages)
    await installPackages(missing, { ...setup, logFile: setupLog })
  }
  return existsSync('/run/systemd/system') ? startWithSystemd(setup) : startDaemon(setup)
}

/** One sentence on how to get an Engine. */
export function adviseOnEngine(platform: NodeJS.Platform): string {
  if (platform === 'win32' || platform === 'darwin')
    return 'No Docker Engine answers on this machine; install Docker Desktop, start it, wait till it says it runs, and run the command again.'
  return 'No Docker Engine answers on this machine; install one with the distribution’s package manager and start it (as root on Debian and Ubuntu this command does both), then run the command again.'
}

/** Why the Engine cannot be used; undefined where it can. */
async function probe(setup: EngineSetup): Promise<SlipwayError | undefined> {
  try {
    await setup.connect(setup.env)
    return undefined
  } catch (error) {
    if (error instanceof SlipwayError) return error
    throw error
  }
}

async function startWithSystemd(setup: EngineSetup): Promise<RunningEngine> {
  setup.say('Starting the Docker Engine: systemctl start docker')
  const { failed, stderr } = await execa('systemctl', ['start', 'docker'], { reject: false })
  if (failed) throw noEngine(`systemctl start docker failed (${stderr.trim()}); see journalctl -u docker.`)
  await waitForAnswer(setup, () => undefined, 'journalctl -u docker')
  const stopCommand = 'systemctl stop docker.socket docker'
  return {
    started: { how: 'with systemd', stopCommand },
    stop: async () => void (await execa('systemctl', stopCommand.split(' ').slice(1), { reject: false })),
  }
}

/** dockerd in its own session: a Ctrl-C at the terminal does not reach it, and it outlives this process. */
async function startDaemon(setup: EngineSetup): Promise<RunningEngine> {
  setup.say(`Starting the Docker Engine: dockerd, in its own session (log: ${daemonLog})`)
  const log = await open(daemonLog, 'a')
  let daemon: ChildProcess
  try {
    daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', log.fd, log.fd] })
    await once(daemon, 'spawn')
  } finally {
    await log.close()
  }
  daemon.unref()
  const ended = (): string | undefined => {
    const status = daemon.exitCode ?? daemon.signalCode
    return status === null ? undefined : `dockerd ended with ${status}`
  }
  try {
    await waitForAnswer(setup, ended, daemonLog)
  } catch (error) {
    await stopDaemon(daemon)
    throw error
  }
  return {
    started: { how: `as process ${daemon.pid}`, stopCommand: `kill ${daemon.pid}` },
    stop: () => stopDaemon(daemon),
  }
}

async function stopDaemon(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const gone = once(daemon, 'exit')
  daemon.ref()
  daemon.kill('SIGTERM')
  const forced = setTimeout(() => daemon.kill('SIGKILL'), 30_000)
  await gone
  clearTimeout(forced)
}

async function waitForAnswer(
  setup: EngineSetup,
  ended: () => string | undefined,
  whereToLook: string,
): Promise<void> {
  const deadline = Date.now() + startPatience
  while (await probe(setup)) {
    setup.signal?.throwIfAborted()
    const problem =
      ended() ?? (Date.now() > deadline ? `it did not answer in ${startPatience / 1000} s` : undefined)
    if (problem) {
      const last = await lastLine(whereToLook)
      throw noEngine(
        `The Docker Engine did not start: ${problem}${last ? ` (${last})` : ''}; see ${whereToLook}.`,
      )
    }
    await wait(200)
  }
}

async function lastLine(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trim().split('\n').at(-1)
}

function findProgram(name: string, env: NodeJS.ProcessEnv): boolean {
  const folders = [...(env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, name)))
}

function noEngine(sentence: string, cause?: SlipwayError): SlipwayError {
  return new SlipwayError(cause?.code ?? 'no-engine', sentence, {
    exitCode: exitCodes.preflightFailed,
    cause,
  })
}
