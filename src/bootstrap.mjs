/**
 * Makes a fresh clone runnable, then runs the module it is given, in this process:
 *
 *     node src/bootstrap.mjs <module> [arguments…]
 *
 * Plain JavaScript on Node's own modules only: it runs before anything is installed or compiled.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const [moduleName, ...moduleArguments] = process.argv.slice(2)

checkNode()
if (!moduleName) stop('Name the module to run: node src/bootstrap.mjs <module> [arguments…].', 2)
const target = path.resolve(root, moduleName)
installDependencies()
compile()
process.argv = [process.argv[0], target, ...moduleArguments]
await import(pathToFileURL(target).href)

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  stop(
    `Slipway needs Node 20.19 or newer and this is ${process.versions.node}; install a newer Node and try again.`,
    3,
  )
}

/** npm keeps a lock of what it installed in node_modules: older than ours, or absent, and `npm ci` is due. */
function installDependencies() {
  const installed = modified(path.join(root, 'node_modules', '.package-lock.json'))
  if (installed > 0 && installed >= modified(path.join(root, 'package-lock.json'))) return
  say(installed > 0 ? 'package-lock.json has changed: npm ci' : 'Installing the dependencies: npm ci')
  // No package here needs its install script, and Slipway's own `prepare` is the next step.
  const status = runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  if (status !== 0) stop('npm ci failed, as printed above; mend that, then run this command again.', status)
}

/** The stamp is written after a compile without errors, so that one with errors is not taken for done. */
function compile() {
  const stamp = path.join(root, 'dist', '.compiled')
  const source = Math.max(newest(path.join(root, 'src')), modified(path.join(root, 'tsconfig.json')))
  if (modified(stamp) >= source && existsSync(path.join(root, 'dist', 'program'))) return
  say('Compiling: tsc')
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const started = new Date()
  const run = (...parameters) =>
    spawnSync(process.execPath, parameters, { cwd: root, stdio: 'inherit' }).status
  const isDone =
    run(tsc, '-p', 'tsconfig.json') === 0 &&
    run(path.join('src', 'precompile.mjs')) === 0 &&
    run(path.join('src', 'pack-program.mjs')) === 0
  if (isDone) {
    writeFileSync(stamp, '')
    utimesSync(stamp, started, started)
  }
  // A module outside dist (the test run) judges the type errors itself.
  else if (isInside(path.join(root, 'dist'), target))
    stop('The sources do not compile; the errors are above.', 1)
}

/** npm says where it is (also on Windows, where `npm` is a script that spawn cannot start). */
function runNpm(parameters) {
  const npm = process.env.npm_execpath
  const { status, error } = npm?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [npm, ...parameters], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', parameters, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (error) stop(`npm cannot be started (${error.message}); install it, then run this command again.`, 3)
  return status ?? 1
}

/** Milliseconds of the last change; 0 where there is no such file. */
function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Folders count too: a file taken out changes its folder. */
function newest(folder) {
  let time = modified(folder)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(file) : modified(file))
  }
  return time
}

function isInside(folder, file) {
  return !path.relative(folder, file).startsWith('..')
}

function say(line) {
  process.stderr.write(`${line}\n`)
}

function stop(sentence, status) {
  say(sentence)
  process.exit(status)
}
