import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import type { Platform } from '../lib/platform.ts'

/** The platforms named with --platform, or all of the product's; "amd64" is enough. Throws `no-such-platform`. */
export function choosePlatforms(
  named: readonly string[] | undefined,
  known: readonly Platform[],
): Platform[] {
  if (!named) return [...known]
  return named
    .flatMap((text) => text.split(','))
    .map((text) => {
      const found = known.find((platform) => platform === text || platform === `linux/${text}`)
      if (found) return found
      const [near] = nearest(text.includes('/') ? text : `linux/${text}`, known)
      throw badInput(
        'no-such-platform',
        `--platform ${text} is not one of this product's platforms, ${known.join(' and ')}${near ? `; did you mean ${near}?` : '.'}`,
      )
    })
}

/** The platform of this machine's processor, as a container of it would be. */
export function hostPlatform(arch: string = process.arch): Platform {
  return arch === 'arm64' ? 'linux/arm64' : 'linux/amd64'
}

/** The platform whose images an Engine runs, by the architecture that it tells; a layout says whether it has it. */
export function enginePlatform(architecture: string): Platform {
  return `linux/${architecture}` as Platform
}
