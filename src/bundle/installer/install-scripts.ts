import { readFile } from 'node:fs/promises'
import type { Platform } from '../../lib/platform.ts'
import { debianArchitecture } from '../../lib/platform.ts'

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
  /** The installer image: "name:tag" as the prefix names it, and the IDs that an Engine may give it. */
  readonly installer: { readonly reference: string; readonly ids: readonly string[] }
}

/** File name → text. */
export interface InstallScripts {
  readonly 'install.sh': string
  readonly 'install.ps1': string
}

/** By this line install.sh knows its own command from a stranger's of the same name. */
const marker = 'A command that install.sh wrote.'

/** Fills in the two scripts that a bundle is delivered with. The same facts give the same text. */
export async function installScripts(facts: InstallFacts): Promise<InstallScripts> {
  const [engine, command, install] = await Promise.all(
    ['engine.sh', 'command.sh', 'install.sh'].map(readTemplate),
  )
  const values = {
    command: facts.command,
    product: oneLine(facts.product),
    quoted_product: quote(facts.product),
    version: quote(facts.version),
    architecture: debianArchitecture(facts.platform),
    bundle: quote(facts.bundle),
    prefix_size: String(facts.prefix.size),
    prefix_sha256: facts.prefix.sha256,
    reference: quote(facts.installer.reference),
    image_ids: facts.installer.ids.join(' '),
    marker,
    engine: engine!.trim(),
  }
  const wrapper = fill(command!, values)
  return { 'install.sh': fill(install!, { ...values, wrapper: wrapper.trimEnd() }), 'install.ps1': '' }
}

/** Puts values where the template has their names between @; what has no value stays. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
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

function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`../../../src/bundle/installer/scripts/${name}`, import.meta.url), 'utf8')
}
