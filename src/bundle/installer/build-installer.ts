import { toComponent } from '../../definition/component.ts'
import type { Definition } from '../../definition/definition.ts'
import { type BuildOptions, buildImage } from '../../image/build.ts'
import { type Image, imageAnnotations } from '../../image/image.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput } from '../../lib/errors.ts'
import type { Platform } from '../../lib/platform.ts'
import { nodeLayer, sharedLayers } from '../../lock/installer.ts'
import type { Lockfile } from '../../lock/lockfile.ts'
import { parsedFile, productFolder, readProductFiles } from './product-files.ts'
import { programFolder, readProgramFiles } from './program-files.ts'

/** What says of an image, and of its containers, that it is the installer of which command. */
const installerLabel = 'io.slipway.installer'

const programLayer = 'installer-slipway'
const productLayer = 'installer-product'

/**
 * Builds the image from which a host without Node runs Slipway: the appliance's own lowest layers, byte for byte, then
 * Debian's Node, Slipway, and the product directory. Throws `no-installer-lock` and what `buildImage` throws.
 */
export async function buildInstallerImage(
  definition: Definition,
  lockfile: Lockfile,
  platform: Platform,
  options: BuildOptions,
): Promise<Image> {
  const { brand } = definition
  const product = await readProductFiles(definition)
  const lock = installerLock(definition, lockfile, platform)
  return buildImage(installerDefinition(definition), lock, platform, {
    ...options,
    extra: {
      overlays: new Map([
        [programLayer, await readProgramFiles()],
        [productLayer, [...product, parsedFile(product)]],
      ]),
      config: {
        Entrypoint: ['/usr/bin/node', `/${programFolder}/dist/program/main.js`],
        Cmd: ['--help'],
        WorkingDir: '/',
        Env: [
          'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          `SLIPWAY_COMMAND=${brand.command}`,
          `SLIPWAY_PRODUCT=/${productFolder}`,
        ],
        Labels: {
          ...imageAnnotations(definition, lockfile),
          'org.opencontainers.image.title': `${brand.product} installer`,
          [installerLabel]: brand.command,
        },
      },
    },
  })
}

/** The installer as a definition of its own: the appliance's components stay for their accounts alone. */
export function installerDefinition(definition: Definition): Definition {
  const own = [nodeLayer, programLayer, productLayer]
  return {
    ...definition,
    description: `Installs and keeps ${definition.brand.product}`,
    layers: [...sharedLayers(definition.layers), ...own],
    components: [
      ...definition.components.map((component) => ({ ...component, ports: [], checks: [] })),
      ...own.map((name) => toComponent(name, {}, [])),
    ],
  }
}

/** What the installer image is made from, as a lock of its own. */
export function installerLock(definition: Definition, lockfile: Lockfile, platform: Platform): Lockfile {
  const appliance = lockfile.platforms[platform]
  const own = lockfile.installer?.[platform]
  if (!appliance || !own) {
    throw badInput(
      'no-installer-lock',
      `appliance.lock holds no installer for ${platform}: bring it up to date with \`${commandName()} lock\`, from an archive whose ${definition.debian.suite} has nodejs 20.19 or newer.`,
    )
  }
  const shared = sharedLayers(definition.layers)
  const packages = [...appliance.packages.filter(({ layer }) => shared.includes(layer)), ...own]
  const { installer: _, ...rest } = lockfile
  return { ...rest, platforms: { [platform]: { ...appliance, packages } } }
}
