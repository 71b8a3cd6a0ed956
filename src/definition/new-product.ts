import { stringify } from 'yaml'
import { commandName } from '../lib/command-name.ts'
import { editorSchemas, schemaFolder } from './editor-schema.ts'

/** What a partner says when a product directory is made. */
export interface NewProduct {
  readonly name: string
  readonly vendor: string
  readonly product: string
  readonly command: string
  readonly support: string
  /** `slipway-reference`, or a path relative to the new directory. */
  readonly extends: string
  /** What its profile can begin with: one of the product that it extends, and a share of the service optimiser. */
  readonly profile?: string
  readonly hasOptimiser: boolean
}

/** The files of a new product directory by path: it builds as it is, and holds only what differs. Pure but for the schemas. */
export function newProductFiles(product: NewProduct): Map<string, string> {
  return new Map([
    ['appliance.yaml', appliance(product)],
    ['images/tools/component.yaml', tools],
    [`images/brand/rootfs/usr/share/${product.name}/support.txt`, supportText(product)],
    ['images/brand/logo.svg', logo(product)],
    ['profiles/shop.yaml', shop(product)],
    ['README.md', readme(product)],
    ['.gitignore', gitignore],
    ...editorSchemas(),
  ])
}

function appliance({ name, vendor, product, command, support, extends: parent }: NewProduct): string {
  return `# yaml-language-server: $schema=${schemaFolder}/appliance.schema.json
# What ${name} is: the product that it extends, and what differs. All else is taken from there, release after release.
# Maps are merged key by key; any other value replaces the one beneath; an empty value takes it away; a key with a +
# behind it adds to the list beneath. Which file a value comes from: ${commandName()} explain brand.vendor
extends: ${text(parent)}
name: ${text(name)}
version: 1.0.0

# What everybody sees: the command, help, errors, the image's labels, the names of files.
brand:
  vendor: ${text(vendor)}
  product: ${text(product)}
  command: ${text(command)}
  support: ${text(support)}
  banner: |
    ${product}
    Help: ${support}
  colours: { primary: "#1f5fa8", accent: "#f29f05" }
  logo: images/brand/logo.svg

# What ${commandName()} test looks at in the built image, beside what is looked at anyway.
checks+:
  - file: /usr/share/${name}/support.txt
`
}

const tools = `# yaml-language-server: $schema=../../${schemaFolder}/component.schema.json
# A component is a folder of images/ with a component.yaml; it gets a layer of its own beneath the brand's. Packages come
# from Debian, with all that they need; ${commandName()} lock writes down which versions.
description: What our support staff use
packages: [ethtool]
checks:
  - package: ethtool
`

function supportText({ product, vendor, support }: NewProduct): string {
  return `${product}, by ${vendor}.
Help: ${support}
`
}

function logo({ product }: NewProduct): string {
  const letter = product.replaceAll(/[^\p{L}\p{N}]/gu, '').slice(0, 1) || 'A'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
  <rect width="64" height="64" rx="12" fill="#1f5fa8"/>
  <text x="32" y="44" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#ffffff">${letter}</text>
</svg>
`
}

function shop({ profile, hasOptimiser }: NewProduct): string {
  const begin = profile === undefined ? '' : ` This one is the profile ${profile}, and what differs.`
  return `# yaml-language-server: $schema=../${schemaFolder}/profile.schema.json
# How much, and for whom.${begin} The profiles of the product that is
# extended are there too.
description: A shop with a few tills, on a small host
${profile === undefined ? '' : `extends: ${text(profile)}\n`}${hasOptimiser ? optimiserShare : ''}`
}

const optimiserShare = `services:
  optimiser:
    memory: 384m
    cache: 1g
`

function readme({ name, product, vendor, command, extends: parent }: NewProduct): string {
  return `# ${product}

The appliance of ${vendor}: ${parent}, and what differs from it.

| file | holds |
| --- | --- |
| \`appliance.yaml\` | name, release, brand |
| \`images/tools/\` | a component of our own: what support staff use |
| \`images/brand/rootfs/\` | files that go into the image as they are |
| \`profiles/shop.yaml\` | a profile beside those of ${parent} |
| \`appliance.lock\` | every package by version and hash; commit it |

    ${commandName()} lock                         # choose the packages, write appliance.lock
    ${commandName()} build                        # the image, in build/
    ${commandName()} test                         # does the image hold what it should?
    ${commandName()} explain brand.vendor         # which file says so?

On a host with a Docker Engine:

    ${commandName()} install --profile shop

The command that customers type is \`${command}\`. When ${parent} moves on, \`${commandName()} diff\` shows what changes beneath
${name}, and \`${commandName()} lock --update\` takes it.
`
}

const gitignore = `# Made by commands from what is committed.
/build/
/vendor/
# The private key that signs bundles and licences.
*.key
`

/** A scalar on one line, in quotes where it needs them. */
function text(value: string): string {
  return stringify(value, { lineWidth: 0 }).trimEnd()
}
