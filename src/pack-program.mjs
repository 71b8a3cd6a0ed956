/**
 * Joins what tsc made, hundreds of modules, to the few files of dist/program that a command runs from: where Node
 * starts slowly, as Debian's does, that is a tenth of a second of each command. Packages stay where npm placed them. Run
 * after tsc, by `prepare` and by bootstrap.mjs. Makes the command a program, which npx does for a folder only once.
 */
import { chmodSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = path.join(root, 'dist', 'program')

const modules = await rolldown({
  cwd: root,
  input: { main: 'dist/cli/main.js', start: 'dist/cli/start.js', worker: 'dist/image/worker.js' },
  platform: 'node',
  external: (name) => !name.startsWith('.') && !path.isAbsolute(name),
})
// Files of an earlier run have other names.
rmSync(folder, { recursive: true, force: true })
// As deep as the modules are: they find Slipway's own files from where they lie.
await modules.write({ dir: folder, entryFileNames: '[name].js', chunkFileNames: '[name].js' })
await modules.close()
chmodSync(path.join(folder, 'main.js'), 0o755)
