import type { PathChange } from '../engine/containers-port.ts'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { parseJson } from '../lib/parse-json.ts'
import { classify, type DriftedPath, expectation, pinnedPaths } from './drift.ts'
import { readFacts, sameFacts, textOf } from './file-facts.ts'
import { withImage } from './image-reader.ts'
import { ownLabels } from './labels.ts'
import { unifiedDiff } from './unified-diff.ts'

export interface ServiceDrift {
  readonly service: string
  readonly container: string
  /** Image ID that it is held against. */
  readonly image: string
  /** Sorted by path. */
  readonly paths: readonly DriftedPath[]
}

/** Files larger than this are compared, not shown line by line; bytes. */
const mostText = 1 << 20

/**
 * What is other in the containers of an appliance than in their images. A path counts where its kind, content, mode or
 * owner differs, not where only its time does. With `diff`, text files come with their unified diff.
 */
export async function readDrift(
  engine: Engine,
  appliance: string,
  options: { readonly diff?: boolean; readonly service?: string } = {},
): Promise<ServiceDrift[]> {
  const containers = await ownContainers(engine, appliance, options.service)
  const found: ServiceDrift[] = []
  for (const document of containers)
    found.push(await driftOf(engine, appliance, document, options.diff === true))
  return found
}

/** The containers of an appliance that are services, by service. */
export async function ownContainers(
  engine: Engine,
  appliance: string,
  service?: string,
): Promise<ContainerDocument[]> {
  const summaries = await engine.containers.list({ [ownLabels.appliance]: appliance })
  const services = summaries.filter(
    ({ labels }) =>
      labels[ownLabels.role] === undefined &&
      labels[ownLabels.component] !== undefined &&
      (service === undefined || labels[ownLabels.component] === service),
  )
  const documents = await Promise.all(services.map(({ id }) => engine.containers.inspect(id)))
  return documents
    .filter((one) => one !== undefined)
    .sort((a, b) => (serviceOf(a) + a.Name < serviceOf(b) + b.Name ? -1 : 1))
}

export function serviceOf(document: ContainerDocument): string {
  return document.Config.Labels[ownLabels.component] ?? ''
}

/** Says what may change in a container, by its own labels and mounts. */
export function expectationOf(document: ContainerDocument): (path: string) => boolean {
  const mounts = [
    ...document.Mounts.map((mount) => mount.Destination),
    ...Object.keys(document.HostConfig.Tmpfs ?? {}),
  ]
  return expectation(readList(document.Config.Labels[ownLabels.expected]), mounts)
}

async function driftOf(
  engine: Engine,
  appliance: string,
  document: ContainerDocument,
  wantDiff: boolean,
): Promise<ServiceDrift> {
  const changes = await engine.containers.changes(document.Id)
  const isExpected = expectationOf(document)
  const common = {
    service: serviceOf(document),
    container: document.Name.replace(/^\//, ''),
    image: document.Image,
  }
  if (changes.length === 0) return { ...common, paths: [] }
  const paths = await withImage(engine, appliance, document.Image, async (reader) => {
    const owners = pinnedPaths(await readLists(engine, reader, document))
    const drifted: DriftedPath[] = []
    for (const change of changes) {
      const one = await compare(engine, reader, document.Id, change, { isExpected, owners, wantDiff })
      if (one) drifted.push(one)
    }
    return drifted
  })
  return { ...common, paths: paths.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

interface Rules {
  readonly isExpected: (path: string) => boolean
  readonly owners: ReadonlyMap<string, string>
  readonly wantDiff: boolean
}

/** Undefined where the two are the same after all: written anew, touched, or a folder around a change. */
async function compare(
  engine: Engine,
  reader: string,
  container: string,
  change: PathChange,
  { isExpected, owners, wantDiff }: Rules,
): Promise<DriftedPath | undefined> {
  const { path, kind } = change
  const keep = wantDiff ? mostText : 0
  // Nothing of an expected path is read; folders that are merely there are not worth a line.
  if (isExpected(path) && !owners.has(path)) {
    const stat = kind === 'deleted' ? undefined : await engine.containers.stat(container, path)
    return stat && isFolder(stat.mode) ? undefined : { ...change, class: 'expected' }
  }
  const [before, after] = await Promise.all([
    kind === 'added' ? undefined : readFacts(engine, reader, path, keep),
    kind === 'deleted' ? undefined : readFacts(engine, container, path, keep),
  ])
  if (before && sameFacts(before, after)) return undefined
  const drifted = classify(change, isExpected, owners, (before ?? after)?.type === 'directory')
  const diff = wantDiff ? diffOf(path, textOf(before), textOf(after)) : []
  return diff.length > 0 ? { ...drifted, diff } : drifted
}

function diffOf(path: string, before: string | undefined, after: string | undefined): string[] {
  if (before === undefined && after === undefined) return []
  return unifiedDiff(
    before ?? '',
    after ?? '',
    before === undefined ? '/dev/null' : `image${path}`,
    after === undefined ? '/dev/null' : `container${path}`,
  )
}

/** The lists of the packages that the image's labels name as pinned. */
async function readLists(
  engine: Engine,
  reader: string,
  document: ContainerDocument,
): Promise<Record<string, string>> {
  const pins = readNames(document.Config.Labels[ownLabels.pins])
  const architecture = (await engine.images.inspect(document.Image))?.architecture ?? ''
  const lists: Record<string, string> = {}
  for (const name of pins) {
    for (const file of [`${name}:${architecture}.list`, `${name}.list`]) {
      const facts = await readFacts(engine, reader, `/var/lib/dpkg/info/${file}`, mostText)
      if (facts?.content) lists[name] = facts.content.toString('utf8')
      if (facts) break
    }
  }
  return lists
}

/** Labels are anybody's to write: what is not as expected counts as nothing. */
function readList(label: string | undefined): string[] {
  const value = parseJson(label ?? '')
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function readNames(label: string | undefined): string[] {
  const value = parseJson(label ?? '')
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

/** Go's os.ModeDir. */
function isFolder(mode: number): boolean {
  return mode >>> 31 === 1
}
