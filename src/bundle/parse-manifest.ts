import { platforms } from '../lib/platform.ts'
import { type Check, count, listOf, object, text } from '../lock/lock-shape.ts'
import { type BundleManifest, bundleFormat } from './format.ts'

const sha256 = text(/^[0-9a-f]{64}$/, 'a SHA-256 in hex')
const digest = text(/^sha256:[0-9a-f]{64}$/, 'a sha256 digest')
const word = text(/^[a-z0-9][a-z0-9._-]*$/, 'a name')
const path = text(/^[\x21-\x7e]{1,255}$/, 'a path')
/** Shown on terminals. */
const line = text(/^\P{Cc}*$/u, 'a line of text')
const version = text(/^[0-9A-Za-z.+-]+$/, 'a version')
/** What eleven octal digits of seconds reach: the year 2242. */
const lastDate = 8 ** 11 * 1000
const yes: Check = (value, at) => (value === true ? undefined : `${at} is not true`)
const oneOf = (values: readonly string[]): Check =>
  text(new RegExp(`^(?:${values.join('|')})$`), `one of ${values.join(', ')}`)

const blob = { digest, size: count }
const shape: Check = object(
  {
    format: count,
    kind: oneOf(['full', 'update']),
    product: object({
      name: word,
      version,
      command: word,
      vendor: line,
      product: line,
      support: line,
    }),
    platform: oneOf(platforms),
    date: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'a date in UTC'),
    prefix: object({ files: count, size: count }),
    images: listOf(
      object({
        role: oneOf(['appliance', 'installer']),
        reference: text(/^[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a name:tag'),
        manifest: object(blob),
        config: object(blob),
        layers: listOf(object({ name: word, ...blob, diffId: digest, unpacked: count }, { absent: yes })),
        packages: object({ sha256, layer: digest }),
      }),
    ),
    files: listOf(object({ path, size: count, sha256 })),
  },
  { key: digest, since: object({ version, bundle: digest }) },
)

/** What is wrong with the form of a `bundle.json`, or what it says. Pure. */
export function parseManifest(value: unknown): BundleManifest | { readonly problem: string } {
  const problem = shape(value, '') ?? contentProblem(value as BundleManifest)
  return problem === undefined ? (value as BundleManifest) : { problem }
}

/** The format that a `bundle.json` of any format tells, and the key that it names; read before anything is believed. */
export function peekManifest(value: unknown): { format?: number; key?: string } {
  if (typeof value !== 'object' || value === null) return {}
  const { format, key } = value as Record<string, unknown>
  return {
    ...(typeof format === 'number' && { format }),
    ...(typeof key === 'string' && /^sha256:[0-9a-f]{64}$/.test(key) && { key }),
  }
}

function contentProblem(manifest: BundleManifest): string | undefined {
  const { format, kind, since, date, images, files, prefix } = manifest
  if (format !== bundleFormat) return `format is ${format}, not ${bundleFormat}`
  if ((kind === 'update') !== (since !== undefined)) return `kind is ${kind}, and since does not fit it`
  const time = Date.parse(date)
  if (!(time >= 0 && time < lastDate)) return `date is ${date}, which a tar cannot hold`
  const roles = images.map(({ role }) => role)
  if (roles.filter((role) => role === 'appliance').length !== 1) return 'images does not hold one appliance'
  if (new Set(roles).size !== roles.length) return 'images holds a role twice'
  const paths = files.map((file) => file.path)
  if (new Set(paths).size !== paths.length) return 'files holds a path twice'
  if (prefix.files > files.length) return 'prefix.files counts more files than there are'
  const absent = images.flatMap(({ layers }) => layers).some((layer) => layer.absent)
  return absent && kind === 'full' ? 'a layer is absent, and kind is full' : undefined
}
