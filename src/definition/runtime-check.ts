import { nearest } from '../lib/nearest.ts'
import type { Compose, ComposeMount } from './compose.ts'
import { checkUse } from './compose-check.ts'
import { composeFiles, readComposeFile } from './compose-file.ts'
import { readCompose } from './compose-parse.ts'
import type { Component, Definition } from './definition.ts'
import type { Problem } from './problem.ts'
import { type Profile, serviceVariable, settingNames, splitPort } from './profile.ts'
import { profileNames, readProfile, readProfileFile } from './profile-load.ts'
import { checkSchema } from './schema.ts'
import { problemAt, readYamlFile, type YamlFile } from './yaml-file.ts'

/** How it runs and how much: the Compose file, every profile, and what they say about each other. */
export async function checkRuntime(definition: Definition): Promise<Problem[]> {
  const yaml = await readComposeFile(definition)
  const { compose, problems: mistakes, names } = readCompose(yaml, {})
  const problems = [
    ...mistakes,
    ...(compose ? [...checkComponents(compose, yaml, definition), ...checkUse(compose, yaml, names)] : []),
    ...(await checkTwice(definition)),
  ]
  for (const name of await profileNames(definition)) {
    const { profile, problems: own, yaml: file } = await readProfile(definition, name)
    problems.push(...own)
    if (profile && compose) problems.push(...checkEffect(file, compose, names))
  }
  const services = Object.keys(Object(Object(yaml.value).services))
  return once(problems.map((one) => withNearService(sayingWhere(one, definition.roots), services)))
}

/** What is wrong with each of these files by itself, where the rest of the definition is not right either. */
export async function checkRuntimeFiles(place: Pick<Definition, 'roots'>): Promise<Problem[]> {
  const problems: Problem[] = []
  if ((await composeFiles(place)).length > 0)
    problems.push(...readCompose(await readComposeFile(place), {}).problems)
  for (const name of await profileNames(place)) {
    const yaml = await readProfileFile(place, name)
    problems.push(...yaml.problems, ...checkSchema('profile', yaml))
  }
  return once(problems)
}

function once(problems: readonly Problem[]): Problem[] {
  const told = new Set<string>()
  return problems.filter(({ file, line, text }) => {
    const key = `${file}:${line}:${text}`
    return told.has(key) ? false : told.add(key)
  })
}

/** A parent's file is not this product's to change: what is wrong with it here is put right in the file over it. */
function sayingWhere(one: Problem, [, ...parents]: Definition['roots']): Problem {
  // "../.." begins with "..", and is another parent.
  const parent = parents
    .filter(({ label }) => one.file.startsWith(`${label}/`))
    .sort((a, b) => b.label.length - a.label.length)[0]
  if (!parent) return one
  return {
    ...one,
    text: `${one.text}; ${one.file.slice(parent.label.length + 1)} of this product is laid over it`,
  }
}

/** A service without an image is mostly meant to change one beneath it. */
function withNearService(one: Problem, services: readonly string[]): Problem {
  const name = services.find((service) => one.text.startsWith(`services.${service}.image is missing`))
  if (name === undefined) return one
  const others = services.filter((service) => service !== name)
  return { ...one, text: `${one.text}${suggest(name, others)}` }
}

/** A service in two files of one product is one of them with parts of the other: nobody means that. */
async function checkTwice(definition: Pick<Definition, 'roots'>): Promise<Problem[]> {
  const first = new Map<string, string>()
  const problems: Problem[] = []
  for (const { root, file } of await composeFiles(definition)) {
    const yaml = await readYamlFile(root, file)
    const services = Object(Object(yaml.value).services) as Record<string, unknown>
    for (const name of Object.keys(services)) {
      const beneath = first.get(name)
      if (beneath === undefined) first.set(name, file)
      else if (beneath !== file)
        problems.push(
          problemAt(
            yaml,
            ['services', name],
            `stands in ${beneath} too; what changes it belongs into a file of that name`,
          ),
        )
    }
  }
  return problems
}

function checkComponents(compose: Compose, yaml: YamlFile, definition: Definition): Problem[] {
  const known = definition.components.map((component) => component.name)
  const unrun = definition.components.filter(
    ({ licence, name }) =>
      licence !== undefined && !compose.services.some(({ component }) => component === name),
  )
  const alone = compose.volumes.some(({ holds }) => holds === 'licence') ? [] : unrun
  return [
    ...alone.map(({ name }) =>
      problemAt(
        yaml,
        ['services'],
        `run no component ${name}, which asks for a licence, and no volume holds one, so that none would be asked for; name it under x-slipway of its service, and mount a volume with \`x-slipway: { holds: licence }\` there read-only`,
      ),
    ),
    ...checkServices(compose, yaml, definition, known),
  ]
}

function checkServices(
  compose: Compose,
  yaml: YamlFile,
  definition: Definition,
  known: readonly string[],
): Problem[] {
  return compose.services.flatMap(({ name, component, mounts }) => {
    const found = definition.components.find((one) => one.name === component)
    if (found) return checkLicensed(found, mounts, compose, yaml, definition, name)
    if (component === undefined) return []
    const at = ['services', name, 'x-slipway', 'component']
    return [
      problemAt(
        yaml,
        at,
        `is "${component}"; it must be a component: ${known.join(', ')}${suggest(component, known)}`,
      ),
    ]
  })
}

/** A component that asks for a licence needs a key that signs it, and a place where its service finds it. */
function checkLicensed(
  { licence }: Component,
  mounts: readonly ComposeMount[],
  compose: Compose,
  yaml: YamlFile,
  { keys }: Definition,
  service: string,
): Problem[] {
  if (licence === undefined) return []
  const volumes = compose.volumes.filter(({ holds }) => holds === 'licence').map(({ key }) => key)
  const mounted = mounts.some(
    ({ type, source, readOnly }) => type === 'volume' && readOnly && volumes.includes(source),
  )
  const at = ['services', service, 'volumes']
  return [
    ...(keys.length > 0
      ? []
      : [
          problemAt(
            yaml,
            ['services', service],
            `runs a component that asks for a licence, and appliance.yaml names no keys`,
          ),
        ]),
    ...(mounted
      ? []
      : [
          problemAt(
            yaml,
            at,
            'mount no licence, which its component asks for; mount a volume with `x-slipway: { holds: licence }` read-only',
          ),
        ]),
  ]
}

/** A profile that names a service that is not there, or sets what the Compose file does not use, does nothing. */
function checkEffect(yaml: YamlFile, compose: Compose, used: ReadonlySet<string>): Problem[] {
  const services = compose.services.map((service) => service.name)
  // Only what this file says itself: what it extends is checked as a profile of its own.
  const own = (yaml.value ?? {}) as Partial<Profile>
  const problems: Problem[] = []
  for (const [service, share] of Object.entries(own.services ?? {})) {
    if (!services.includes(service)) {
      problems.push(
        problemAt(
          yaml,
          ['services', service],
          `is no service of the Compose file; it must be one of ${services.join(', ')}${suggest(service, services)}`,
        ),
      )
      continue
    }
    const { settings = {}, ...common } = share
    for (const key of Object.keys(common)) {
      const variable = serviceVariable(service, key)
      if (!used.has(variable)) problems.push(problemAt(yaml, ['services', service, key], noEffect(variable)))
    }
    for (const key of Object.keys(settings)) {
      const variable = serviceVariable(service, key)
      if (used.has(variable)) continue
      const text = `${noEffect(variable)}${suggest(key, settingNames(service, used))}`
      problems.push(problemAt(yaml, ['services', service, 'settings', key], text))
    }
    const address = serviceVariable(service, 'address')
    if (splitPort(share.port === undefined ? undefined : String(share.port)).address && !used.has(address)) {
      problems.push(problemAt(yaml, ['services', service, 'port'], noEffect(address)))
    }
  }
  if (own.allowedNetworks && !used.has('ALLOWED_NETWORKS'))
    problems.push(problemAt(yaml, ['allowedNetworks'], noEffect('ALLOWED_NETWORKS')))
  if (own.upstreamDns && !used.has('UPSTREAM_DNS'))
    problems.push(problemAt(yaml, ['upstreamDns'], noEffect('UPSTREAM_DNS')))
  return problems
}

function noEffect(variable: string): string {
  return `has no effect: compose/appliance.yaml does not use the variable ${variable}`
}

function suggest(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)[0]
  return near ? `; did you mean ${near}?` : ''
}
