import { filesBelow, type Root, shownFile } from './roots.ts'

export interface ExplainedFile {
  /** Its path in the product: "images/dns/rootfs/etc/appliance/dnsmasq.conf". */
  readonly path: string
  /** Where it is taken from, as it is shown. */
  readonly from: string
  /** The files of the same path that it covers, the nearest first. */
  readonly over: readonly string[]
}

/**
 * Which product directory a file comes from: by its path in the product, or in the image ("/etc/appliance/x"), where
 * several components may have one. Empty: no overlay holds it.
 */
export async function explainFile(roots: readonly Root[], file: string): Promise<ExplainedFile[]> {
  const paths = await filesBelow(roots, 'images')
  const wanted = file.startsWith('/')
    ? paths.filter((path) => /^images\/[^/]+\/rootfs(\/.*)$/.exec(path)?.[1] === file)
    : paths.filter((path) => path === file)
  return Promise.all(
    wanted.map(async (path) => {
      const holders: Root[] = []
      for (const root of roots) if ((await filesBelow([root], 'images')).includes(path)) holders.push(root)
      const [from = '', ...over] = holders.map((root) => shownFile(root, path))
      return { path, from, over }
    }),
  )
}
