/**
 * `npm run bench -- build` (or `host`, `deliver`): times whole commands side by side in one run and prints them as ratios. Nothing here is a
 * test: a figure depends on the machine, which the table names.
 */
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const benches = ['build', 'host', 'deliver']
const chosen = process.argv[2] ?? 'build'
if (!benches.includes(chosen)) {
  console.error(`There is no bench "${chosen}"; there is ${benches.join(', ')}.`)
  process.exit(2)
}

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
// Vite runs the TypeScript as it stands; what is timed are processes of their own.
const vite = await createServer({
  root,
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
})
try {
  const { run } = await vite.ssrLoadModule(`/bench/${chosen}.ts`)
  const [cpu] = os.cpus()
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpu?.model ?? 'unknown processor'}, ${os.availableParallelism()} cores, Node ${process.version}, ${os.type()} ${os.release()}\n`,
  )
  await run(root)
} finally {
  await vite.close()
}
process.exit(process.exitCode ?? 0)
