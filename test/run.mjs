/**
 * What `npm test` runs. Phases go on after one fails; what failed is told once more at the end. The last line is the
 * sum, alone: `N passed, N failed[, N skipped]`.
 *
 *     node test/run.mjs [--unit] [--golden] [--engine-26] [--engine-newest] [file filter…]
 *
 * --unit           type check, Biome and unit tests only: no Engine, no network
 * --golden         writes the golden files anew from what the code gives now
 * --engine-26      only the integration tests that run on Engine 26.1 too, on that
 * --engine-newest  the same on the newest Engine that Debian has (sid), with either of its image stores
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addCounts, countReport, formatCounts } from './support/counts.mjs'
import { hostPackages } from './support/host-packages.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const { values, positionals: filters } = parseArgs({
  options: {
    unit: { type: 'boolean' },
    golden: { type: 'boolean' },
    'engine-26': { type: 'boolean' },
    'engine-newest': { type: 'boolean' },
  },
  allowPositionals: true,
})
const innerOnly = values['engine-26'] || values['engine-newest']
const passedOnce = { passed: 1, failed: 0, skipped: 0 }
const failedOnce = { passed: 0, failed: 1, skipped: 0 }

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort(signal))

let total = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-test-run-'))
const built = path.join(scratch, 'built')
let engine
let innerEngine
let integrationEnded = false
try {
  if (filters.length === 0 && !innerOnly) {
    await phase('type check', () =>
      all(['typescript/bin/tsc', '-p', 'tsconfig.json'], ['typescript/bin/tsc', '-p', 'test/tsconfig.json']),
    )
    await phase('Biome', () => all(['@biomejs/biome/bin/biome', 'check', '.']))
  }
  if (wanted('unit')) await phase('unit tests', () => vitest(['unit']))
  if (wanted('integration') || wanted('integration-26')) await phase('set-up of the integration tests', setUp)
  if (wanted('integration') && filters.length > 0)
    await phase('integration tests', () => vitest(['integration', 'integration-apart']))
  else if (wanted('integration')) await Promise.all([integration(), integrationApart()])
  if (wanted('integration-26') && !values['engine-newest']) await lifeOn('Engine 26.1', 'startEngine26')
  if (values['engine-newest']) {
    const daemon = { features: { 'containerd-snapshotter': true } }
    await lifeOn('the newest Engine', 'startNewestEngine')
    await lifeOn('the newest Engine with containerd’s image store', 'startNewestEngine', { daemon })
  }
} finally {
  await innerEngine?.remove()
  await engine?.stop()
  await rm(scratch, { recursive: true, force: true })
}
if (failures.length > 0) console.log(`\n── failed\n${failures.join('\n')}\n`)
console.log(formatCounts(total))
const noneRan = total.passed + total.failed === 0
process.exitCode = interrupted.signal.aborted ? 130 : total.failed > 0 || noneRan ? 1 : 0

/** Runs one phase under its headline. */
async function phase(name, run) {
  if (interrupted.signal.aborted) return
  console.log(`\n── ${name}`)
  await counted(name, run)
}

/** Adds what a phase counts and says how long it took. One that throws counts as one failure. */
async function counted(name, run) {
  const started = performance.now()
  let counts
  try {
    counts = await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    console.log(message)
    failures.push(`${name}: ${message}`)
    counts = failedOnce
  }
  if (interrupted.signal.aborted) counts = failedOnce
  total = addCounts(total, counts)
  console.log(`── ${name}: ${formatCounts(counts)} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** Whether a vitest project is to run: all unless an option or filters say which. */
function wanted(project) {
  if (innerOnly) return project === 'integration-26'
  if (project !== 'unit' && (values.unit || values.golden)) return false
  if (filters.length === 0) return true
  if (project === 'integration-26') return false
  const named = filters.filter((filter) => filter.includes('integration'))
  return project === 'integration' ? named.length > 0 : named.length < filters.length
}

/** Packages and Engine. The functions are the demo's own, compiled. */
async function setUp() {
  const { canInstallPackages, installPackages, missingPackages } = await import('../dist/cli/demo/apt.js')
  const { ensureEngine } = await import('../dist/cli/demo/engine-setup.js')
  const { connectEngine } = await import('../dist/engine/connect.js')
  const say = (line) => console.log(line)
  const { signal } = interrupted
  if (await canInstallPackages()) {
    const missing = await missingPackages(hostPackages)
    if (missing.length > 0)
      await installPackages(missing, { say, signal, logFile: '/var/log/slipway-setup.log' })
  }
  engine = await ensureEngine({ say, signal, env: process.env, connect: connectEngine })
  return passedOnce
}

/** What an appliance lives through, on an Engine in a container, which a function of inner-engine.ts starts. */
async function lifeOn(engineName, start, options = {}) {
  await phase(`set-up of ${engineName}`, async () => {
    // The tests' own support is TypeScript: Vite, which Vitest stands on, loads it.
    const { runnerImport } = await import('vite')
    const { module } = await runnerImport(path.join(root, 'test', 'support', 'inner-engine.ts'), {
      root,
      configFile: false,
      logLevel: 'error',
    })
    const cacheDirectory = process.env.SLIPWAY_CACHE || path.join(built, 'cache')
    innerEngine = await module[start]({ cacheDirectory, tcp: false, ...options })
    const { engine, api } = innerEngine.engine.version
    console.log(`Engine ${engine}, API ${api}`)
    return passedOnce
  })
  if (!innerEngine) return
  await phase(`integration tests on ${engineName}`, () =>
    vitest(['integration-26'], { inside: innerEngine.inside }),
  )
  await innerEngine.remove()
  innerEngine = undefined
}

/** Runs modules of node_modules one after another; passed when every one ends with 0. */
async function all(...commands) {
  for (const [module, ...parameters] of commands) {
    const status = await runNode(path.join(root, 'node_modules', module), parameters)
    if (status !== 0) {
      failures.push(`${module} ${parameters.join(' ')}: ended with ${status}`)
      return failedOnce
    }
  }
  return passedOnce
}

/** With one Engine and few cores these run one file after another, and wait for the Engine much of the time … */
async function integration() {
  await phase('integration tests', () => vitest(['integration']))
  integrationEnded = true
}

/** … which those that ask no Engine, or one of their own, make use of. What they print comes in one piece at their end. */
async function integrationApart() {
  // The other builds the image that both use.
  while (!integrationEnded && !existsSync(path.join(built, 'built-image.json'))) await sleep(500)
  await counted('integration tests beside that Engine', async () => {
    const log = path.join(scratch, 'integration-apart.log')
    const output = await open(log, 'w')
    const counts = await vitest(['integration-apart'], { output: output.fd })
    await output.close()
    console.log(await readFile(log, 'utf8'))
    return counts
  })
}

/** Runs the tests of projects, by the command `inside` where one is given; prints to `output`. */
async function vitest(projects, { inside = [], output = 'inherit' } = {}) {
  const reportFile = path.join(scratch, `${projects.join('-')}.json`)
  const parameters = [
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter=default',
    '--reporter=json',
    `--reporter=${path.join(root, 'test', 'support', 'failure-reporter.mjs')}`,
    `--outputFile.json=${reportFile}`,
  ]
  const failuresFile = path.join(scratch, `${projects.join('-')}-failures.json`)
  const env = {
    SLIPWAY_BUILT: built,
    SLIPWAY_FAILURES: failuresFile,
    ...(values.golden && { SLIPWAY_GOLDEN: 'write' }),
    ...(inside.length > 0 && { DOCKER_HOST: '' }),
  }
  const runner = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const status = await runNode(runner, [...parameters, ...filters], { env, inside, output })
  const report = await readReport(reportFile)
  const named = (await readReport(failuresFile)) ?? []
  failures.push(...named)
  if (status !== 0 && named.length === 0) failures.push(`${projects.join(', ')}: vitest ended with ${status}`)
  return countReport(report, status)
}

async function readReport(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text && JSON.parse(text)
}

/** Runs a module in a child, which gets the signals that this process gets; returns its exit code. */
async function runNode(module, parameters, { env = {}, inside = [], output = 'inherit' } = {}) {
  const [program, ...rest] = [...inside, process.execPath, module, ...parameters]
  const child = spawn(program, rest, {
    cwd: root,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  })
  const pass = () => child.kill('SIGTERM')
  interrupted.signal.addEventListener('abort', pass)
  const [status] = await once(child, 'exit')
  interrupted.signal.removeEventListener('abort', pass)
  return status ?? 1
}
