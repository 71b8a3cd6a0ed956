import { nearest } from '../lib/nearest.ts'
import type { Compose } from './compose.ts'
import type { Problem, ValuePath } from './problem.ts'
import { serviceVariable } from './profile.ts'
import { formatSize } from './size.ts'
import { problemAt, type YamlFile } from './yaml-file.ts'

/**
 * What a Compose file says that would come to nothing: volumes and networks that no service has, circles of
 * `depends_on`, ports published twice, variables that nothing sets, an image that is not the product's, health checks and
 * limits that the Engine does not take. Pure.
 *
 * @param yaml the file as it is written, variables in place
 */
export function checkUse(compose: Compose, yaml: YamlFile, used: ReadonlySet<string>): Problem[] {
  const problem = (at: ValuePath, text: string): Problem => problemAt(yaml, at, text)
  return [
    ...unmounted(compose).map((key) =>
      problem(
        ['volumes', key],
        'is mounted by no service; a list of volumes replaces the one beneath, and volumes+ adds to it; or take the volume away with an empty value',
      ),
    ),
    ...unjoined(compose).map((key) => problem(['networks', key], 'is joined by no service')),
    ...circles(compose).map((way) =>
      problem(['services', way[0]!, 'depends_on'], `goes in a circle: ${way.join(' → ')}`),
    ),
    ...publishedTwice(compose).map(({ service, index, port, by }) =>
      problem(
        ['services', service, 'ports', index],
        `publishes the port ${port}, which ${by} publishes already`,
      ),
    ),
    ...unrunnableChecks(compose).map(({ service, kind }) =>
      problem(
        ['services', service, 'healthcheck', 'test', 0],
        `is ${JSON.stringify(kind)}; it must be CMD, CMD-SHELL or NONE, before the command`,
      ),
    ),
    ...swapBelowMemory(compose).map(({ service, memory, memorySwap }) =>
      problem(
        ['services', service, 'memswap_limit'],
        `is ${formatSize(memorySwap)}, less than mem_limit (${formatSize(memory)}); it counts memory and swap together, so that it must be at least as much`,
      ),
    ),
    ...misspelt(compose, used).map(({ variable, meant }) =>
      problem(
        placeOfVariable(yaml, variable),
        `uses the variable ${variable}, which nothing sets; did you mean ${meant}?`,
      ),
    ),
    ...foreignImages(yaml).map((service) =>
      problem(
        ['services', service, 'image'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is Compose's.
        'is not the image that is built, and every service runs that; write ${APPLIANCE_IMAGE:-NAME}',
      ),
    ),
  ]
}

/** What the list of a health check begins with (Compose specification, "healthcheck"). */
const testKinds: readonly string[] = ['CMD', 'CMD-SHELL', 'NONE']

/** What every service may have in a profile (profile.schema.json). */
const commonKeys = ['memory', 'cache', 'port', 'restart', 'address']

function unmounted({ services, volumes }: Compose): string[] {
  const mounted = new Set(services.flatMap(({ mounts }) => mounts.map(({ source }) => source)))
  return volumes.map(({ key }) => key).filter((key) => !mounted.has(key))
}

function unjoined({ services, networks }: Compose): string[] {
  const joined = new Set(services.flatMap((service) => service.networks))
  return networks.map(({ key }) => key).filter((key) => key !== 'default' && !joined.has(key))
}

/** Each circle once, from its first service on and back to it. */
function circles({ services }: Compose): string[][] {
  const needs = new Map(
    services.map(({ name, dependsOn }) => [name, dependsOn.map(({ service }) => service)]),
  )
  const done = new Set<string>()
  const found: string[][] = []
  const visit = (name: string, way: readonly string[]): void => {
    const begun = way.indexOf(name)
    if (begun >= 0) found.push([...way.slice(begun), name])
    if (begun >= 0 || done.has(name)) return
    for (const next of needs.get(name) ?? []) visit(next, [...way, name])
    done.add(name)
  }
  for (const name of needs.keys()) visit(name, [])
  return found
}

/** Ports of the host that two services, or one twice, would have by default. */
function publishedTwice({
  services,
}: Compose): { service: string; index: number; port: string; by: string }[] {
  const taken: { readonly port: string; readonly address: string | undefined; readonly by: string }[] = []
  return services.flatMap(({ name, ports }) =>
    ports.flatMap(({ published, protocol, hostAddress: address }, index) => {
      if (published === undefined) return []
      const port = `${published}/${protocol}`
      const other = taken.find(
        (one) =>
          one.port === port &&
          (one.address === undefined || address === undefined || one.address === address),
      )
      taken.push({ port, address, by: name })
      return other ? [{ service: name, index, port, by: other.by }] : []
    }),
  )
}

/** Health checks that the Engine would never run, and call the service "starting" for ever. */
function unrunnableChecks({ services }: Compose): { service: string; kind: string }[] {
  return services.flatMap(({ name, healthcheck }) => {
    const [kind] = healthcheck?.test ?? []
    return kind === undefined || testKinds.includes(kind) ? [] : [{ service: name, kind }]
  })
}

/** Limits of memory and swap together that are below memory's own; 0 is taken for none given. */
function swapBelowMemory({ services }: Compose): { service: string; memory: number; memorySwap: number }[] {
  return services.flatMap(({ name, memory, memorySwap }) =>
    memory !== undefined && memorySwap && memorySwap < memory ? [{ service: name, memory, memorySwap }] : [],
  )
}

/** Variables that belong to no service, where one that does is spelt nearly so: what a profile says would not reach them. */
function misspelt({ services }: Compose, used: ReadonlySet<string>): { variable: string; meant: string }[] {
  const prefixes = services.map(({ name }) => serviceVariable(name, ''))
  const ours = [
    'APPLIANCE_IMAGE',
    'ALLOWED_NETWORKS',
    'UPSTREAM_DNS',
    ...services.flatMap(({ name }) => commonKeys.map((key) => serviceVariable(name, key))),
  ]
  return [...used]
    .filter((variable) => !ours.includes(variable) && !prefixes.some((prefix) => variable.startsWith(prefix)))
    .flatMap((variable) => nearest(variable, ours).map((meant) => ({ variable, meant })))
}

function placeOfVariable(yaml: YamlFile, variable: string): ValuePath {
  const find = (value: unknown, at: ValuePath): ValuePath | undefined => {
    if (typeof value === 'string') return new RegExp(`\\$\\{?${variable}\\b`).test(value) ? at : undefined
    if (typeof value !== 'object' || value === null) return undefined
    for (const [key, item] of Object.entries(value)) {
      const found = find(item, [...at, Array.isArray(value) ? Number(key) : key])
      if (found) return found
    }
    return undefined
  }
  return find(yaml.value, []) ?? []
}

/** Services that name another image, where others name the one that is built. */
function foreignImages({ value }: YamlFile): string[] {
  const { services } = value as { services: Readonly<Record<string, { readonly image: string }>> }
  const isOurs = (image: string): boolean => image.includes('APPLIANCE_IMAGE')
  const images = Object.entries(services)
  if (!images.some(([, { image }]) => isOurs(image))) return []
  return images.filter(([, { image }]) => !isOurs(image)).map(([name]) => name)
}
