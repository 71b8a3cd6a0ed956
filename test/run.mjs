/**
 * What `npm test` runs. Phases go on after one fails; the last line is the sum, alone: `N passed, N failed[, N skipped]`.
 *
 *     node test/run.mjs [--unit] [--golden] [file filter…]
 *
 * --unit    type check, Biome and unit tests only: no Engine, no network
 * --golden  writes the golden files anew from what the code gives now
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addCounts, countReport, formatCounts } from './support/counts.mjs'
import { hostPackages } from './support/host-packages.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const { values, positionals: filters } = parseArgs({
  options: { unit: { type: 'boolean' }, golden: { type: 'boolean' } },
  allowPositionals: true,
})
const passedOnce = { passed: 1, failed: 0, skipped: 0 }
const failedOnce = { passed: 0, failed: 1, skipped: 0 }

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort(signal))

let total = { passed: 0, failed: 0, skipped: 0 }
const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-test-run-'))
let engine
try {
  if (filters.length === 0) {
    await phase('type check', () =>
      all(['typescript/bin/tsc', '-p', 'tsconfig.json'], ['typescript/bin/tsc', '-p', 'test/tsconfig.json']),
    )
    await phase('Biome', () => all(['@biomejs/biome/bin/biome', 'check', '.']))
  }
  if (wanted('unit')) await phase('unit tests', () => vitest('unit'))
  if (wanted('integration')) {
    await phase('set-up of the integration tests', setUp)
    await phase('integration tests', () => vitest('integration'))
  }
} finally {
  await engine?.stop()
  await rm(scratch, { recursive: true, force: true })
}
console.log(formatCounts(total))
const noneRan = total.passed + total.failed === 0
process.exitCode = interrupted.signal.aborted ? 130 : total.failed > 0 || noneRan ? 1 : 0

/** Runs one phase, adds what it counts and says how long it took. A phase that throws counts as one failure. */
async function phase(name, run) {
  if (interrupted.signal.aborted) return
  console.log(`\n── ${name}`)
  const started = performance.now()
  let counts
  try {
    counts = await run()
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error))
    counts = failedOnce
  }
  if (interrupted.signal.aborted) counts = failedOnce
  total = addCounts(total, counts)
  console.log(`── ${name}: ${formatCounts(counts)} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** Whether a vitest project is to run: all unless --unit, --golden or filters say which. */
function wanted(project) {
  if (project === 'integration' && (values.unit || values.golden)) return false
  if (filters.length === 0) return true
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

/** Runs modules of node_modules one after another; passed when every one ends with 0. */
async function all(...commands) {
  for (const [module, ...parameters] of commands) {
    const status = await runNode(path.join(root, 'node_modules', module), parameters)
    if (status !== 0) return failedOnce
  }
  return passedOnce
}

async function vitest(project) {
  const report = path.join(scratch, `${project}.json`)
  const parameters = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const env = values.golden ? { SLIPWAY_GOLDEN: 'write' } : {}
  const status = await runNode(
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    [...parameters, ...filters],
    env,
  )
  const text = await readFile(report, 'utf8').catch(() => undefined)
  return countReport(text && JSON.parse(text), status)
}

/** Runs a module in a child, which gets the signals that this process gets; returns its exit code. */
async function runNode(module, parameters, env = {}) {
  const child = spawn(process.execPath, [module, ...parameters], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  const pass = () => child.kill('SIGTERM')
  interrupted.signal.addEventListener('abort', pass)
  const [status] = await once(child, 'exit')
  interrupted.signal.removeEventListener('abort', pass)
  return status ?? 1
}
