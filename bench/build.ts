import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { loadDefinition } from '../src/definition/load.ts'
import type { Lockfile } from '../src/lock/lockfile.ts'
import { prepareDebootstrap } from '../test/support/debootstrapped.ts'
import { sourceLines } from '../test/support/private-apt.ts'
import { type Measurement, measure, median, table } from './measure.ts'

const rounds = 5
const productFiles = ['appliance.yaml', 'appliance.lock', 'images', 'compose', 'profiles']

/** Section 5 of what the builder promises: how fast, how small. Needs root, mmdebstrap and the archive. */
export async function run(root: string): Promise<void> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-bench-'))
  try {
    await bench(root, scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function bench(root: string, scratch: string): Promise<void> {
  const product = path.join(scratch, 'product')
  for (const name of productFiles)
    await cp(path.join(root, name), path.join(product, name), { recursive: true })
  const cache = path.join(scratch, 'cache')
  const out = path.join(scratch, 'out')
  const program = path.join(root, 'dist', 'program', 'main.js')
  const slipway = (...parameters: string[]): Promise<Measurement> =>
    measure([process.execPath, program, ...parameters], { env: { SLIPWAY_CACHE: cache } })
  const build = (): Promise<Measurement> =>
    slipway('-C', product, 'build', '--platform', 'linux/amd64', '--out', out, '--json')

  await build() // brings the .debs
  const definition = await loadDefinition(product)
  const lock: Lockfile = JSON.parse(await readFile(path.join(product, 'appliance.lock'), 'utf8'))
  const locked = lock.platforms['linux/amd64']!
  const debs = path.join(cache, 'debs')
  const files = locked.packages.map(({ sha256 }) => path.join(debs, `${sha256}.deb`))

  const cold: Measurement[] = []
  const floor: Measurement[] = []
  const judge: Measurement[] = []
  for (let round = 0; round < rounds; round++) {
    await rm(path.join(cache, 'layers'), { recursive: true })
    await rm(out, { recursive: true })
    cold.push(await build())
    floor.push(await unpackAndHash(files))
    if (round < 3)
      judge.push(await timeMmdebstrap(path.join(scratch, `judge-${round}`), debs, locked, definition))
  }
  const unchanged: Measurement[] = []
  const brand: Measurement[] = []
  const rebranded: Measurement[] = []
  const brandFile = path.join(scratch, 'brand.yaml')
  await writeFile(brandFile, 'vendor: Zeta\nproduct: Zeta Link\ncommand: zeta-link\nsupport: zeta.example\n')
  const help: Measurement[] = []
  for (let round = 0; round < rounds; round++) {
    unchanged.push(await build())
    await changeBrand(product, round)
    brand.push(await build())
    rebranded.push(
      await slipway('rebrand', out, '--brand', brandFile, '--out', path.join(scratch, 'rebranded')),
    )
    help.push(await slipway('--help'))
  }
  const ours = await blobBytes(out)
  const theirs = await minbaseBytes(scratch, definition)

  const time = (runs: readonly Measurement[]): number => median(runs.map((run) => run.seconds))
  const seconds = (runs: readonly Measurement[]): string => `${time(runs).toFixed(2)} s`
  const peak = Math.max(...cold.map((run) => run.peak))
  console.log(
    table([
      ['what', 'measured', 'beside', 'ratio', 'wanted'],
      [
        'cold build, .debs cached',
        seconds(cold),
        `mmdebstrap, same packages: ${seconds(judge)}`,
        `${(time(judge) / time(cold)).toFixed(1)}× faster`,
        'at least 5×',
      ],
      [
        'cold build, .debs cached',
        seconds(cold),
        `floor, dpkg-deb and sha256sum: ${seconds(floor)}`,
        `${(time(cold) / time(floor)).toFixed(2)}×`,
        'at most 1.5×',
      ],
      ['one byte of the brand changed', seconds(brand), '', '', 'under 1 s'],
      ['another brand on the built image', seconds(rebranded), '', '', 'under 1 s'],
      ['nothing changed', seconds(unchanged), '', '', 'under 0.5 s'],
      ['slipway --help', seconds(help), '', '', 'under 0.15 s'],
      ['peak memory of a cold build', `${(peak / 1e6).toFixed(0)} MB`, '', '', 'under 512 MB'],
      [
        'compressed image',
        `${(ours / 1e6).toFixed(1)} MB`,
        `mmdebstrap minbase, gzip -6: ${(theirs / 1e6).toFixed(1)} MB`,
        `${((100 * ours) / theirs).toFixed(0)}%`,
        'at most 60%',
      ],
    ]),
  )
  console.log(`\nMedians of ${rounds} runs (mmdebstrap: 3), taken in turn; ${files.length} packages.`)
}

/** What no builder can be quicker than: every data.tar unpacked and hashed, on all cores. */
function unpackAndHash(files: readonly string[]): Promise<Measurement> {
  const script =
    'printf "%s\\n" "$@" | xargs -P "$(nproc)" -I{} sh -c "dpkg-deb --fsys-tarfile {} | sha256sum"'
  return measure(['sh', '-c', script, 'sh', ...files])
}

async function timeMmdebstrap(
  scratch: string,
  debs: string,
  locked: Parameters<typeof prepareDebootstrap>[0]['locked'],
  definition: Awaited<ReturnType<typeof loadDefinition>>,
): Promise<Measurement> {
  await mkdir(scratch)
  const users = definition.components.flatMap((component) => component.users)
  const { command } = await prepareDebootstrap({
    scratch,
    debs,
    locked,
    omit: definition.omit,
    userIds: new Map(users.map(({ name, uid }) => [name, uid])),
  })
  const measurement = await measure(command)
  await rm(scratch, { recursive: true })
  return measurement
}

async function changeBrand(product: string, round: number): Promise<void> {
  const file = path.join(product, 'images', 'brand', 'rootfs', 'usr', 'share', 'slipway', 'bench')
  await mkdir(path.dirname(file), { recursive: true })
  await appendFile(file, String(round))
}

/** The layers of the amd64 image. */
async function blobBytes(layout: string): Promise<number> {
  const folder = path.join(layout, 'blobs', 'sha256')
  let bytes = 0
  for (const name of await readdir(folder)) bytes += (await stat(path.join(folder, name))).size
  return bytes
}

/** The same services the usual way: mmdebstrap's minbase variant with the packages that the components name. */
async function minbaseBytes(
  scratch: string,
  definition: Awaited<ReturnType<typeof loadDefinition>>,
): Promise<number> {
  const names = [...new Set(definition.components.flatMap((component) => component.packages))]
  const file = path.join(scratch, 'minbase.tar.gz')
  const sources = (await sourceLines(definition.debian)).trim().split('\n')
  await measure([
    'sh',
    '-c',
    'out=$1; shift; mmdebstrap --mode=root --variant=minbase "$@" | gzip -6 >"$out"',
    'sh',
    file,
    `--include=${names.join(',')}`,
    '--aptopt=APT::Sandbox::User "root"',
    definition.debian.suite,
    '-',
    ...sources,
  ])
  return (await stat(file)).size
}
