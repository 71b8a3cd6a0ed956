import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ownFolder } from '../../lib/own-folder.ts'
import { debianArchitecture, type Platform } from '../../lib/platform.ts'

/** What install.sh and install.ps1 know of the bundle that they lie beside. */
export interface InstallFacts {
  /** Of the brand. */
  readonly command: string
  readonly product: string
  readonly version: string
  readonly platform: Platform
  /** The bundle's file name. */
  readonly bundle: string
  /** The bundle's first bytes, which by themselves are an archive of the installer image; size 0: it holds none. */
  readonly prefix: { readonly size: number; readonly sha256: string }
  /** The installer image: "name:tag" as the prefix names it, the IDs that an Engine may give it, its diff IDs bottom first. */
  readonly installer: {
    readonly reference: string
    readonly ids: readonly string[]
    readonly layers: readonly string[]
  }
  /** Of an update: the release that it stands on, and by what an Engine may know that release's installer image. */
  readonly base?: { readonly version: string; readonly images: readonly string[] }
}

/** File name → text. */
export interface InstallScripts {
  readonly 'install.sh': string
  readonly 'install.ps1': string
}

/** By this line an installer knows its own command from a stranger's of the same name. */
const marker = 'A command that the installer wrote.'

/**
 * What the program's container may do, on every host alike: it writes to its own memory and to the caller's folders, and
 * has no capability but what its user needs. The host's network shows it which ports are taken.
 */
const containerOptions = [
  '--read-only --tmpfs /run/slipway:mode=1777 --env TMPDIR=/run/slipway --env HOME=/run/slipway',
  '--cap-drop ALL --security-opt no-new-privileges --security-opt label=disable --network host',
].join(' ')

/** Fills in the two scripts that a bundle is delivered with. The same facts give the same text. */
export async function installScripts(facts: InstallFacts): Promise<InstallScripts> {
  const common = {
    command: facts.command,
    architecture: debianArchitecture(facts.platform),
    prefix_size: String(facts.prefix.size),
    prefix_sha256: facts.prefix.sha256,
    image_ids: facts.installer.ids.join(' '),
    image_layers: facts.installer.layers.join(' '),
    base_version: facts.base?.version ?? '',
    base_images: facts.base?.images.join(' ') ?? '',
    container_options: containerOptions,
    marker,
  }
  return {
    'install.sh': await shellScript(facts, common),
    'install.ps1': await powerShellScript(facts, common),
  }
}

type Values = Readonly<Record<string, string>>

async function shellScript({ product, version, bundle, installer }: InstallFacts, common: Values) {
  const values = {
    ...common,
    product: oneLine(product),
    quoted_product: quote(product),
    version: quote(version),
    bundle: quote(bundle),
    reference: quote(installer.reference),
    engine: (await readTemplate('engine.sh')).trimEnd(),
  }
  const wrapper = fill(await readTemplate('command.sh'), values).trimEnd()
  return fill(await readTemplate('install.sh'), { ...values, wrapper })
}

/** ASCII with CRLF: PowerShell 5 reads other bytes by the host's code page. */
async function powerShellScript({ product, version, bundle, installer }: InstallFacts, common: Values) {
  const values = { ...common, product: ascii(product), version, bundle, reference: installer.reference }
  const wrapper = fill(await readTemplate('command.cmd'), values).trimEnd()
  const text = fill(await readTemplate('install.ps1'), { ...values, wrapper })
  return text.replace(/\r?\n/g, '\r\n')
}

/** Puts values where the template has their names between @; what has no value stays. */
function fill(template: string, values: Values): string {
  return template.replace(/@(\w+)@/g, (whole, name: string) => values[name] ?? whole)
}

/** One word of a shell. */
function quote(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${oneLine(text).replaceAll("'", "'\\''")}'`
}

/** As a comment may hold it. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

function ascii(text: string): string {
  return oneLine(text.normalize('NFKD').replace(/\p{M}/gu, '')).replace(/[^\x20-\x7e]/g, '?')
}

async function readTemplate(name: string): Promise<string> {
  const file = path.join(ownFolder, 'src', 'bundle', 'installer', 'scripts', name)
  return (await readFile(file, 'utf8')).replaceAll('\r\n', '\n')
}
