import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCompose } from '../../../src/definition/compose-parse.ts'
import { loadDefinition } from '../../../src/definition/load.ts'
import { profileVariables } from '../../../src/definition/profile.ts'
import { loadProfile, profileNames } from '../../../src/definition/profile-load.ts'
import { composeText } from '../../support/compose-text.ts'
import { repository } from '../../support/slipway.ts'

const definition = await loadDefinition(repository)
const text = await composeText(definition)

describe('the reference appliance', () => {
  it('has the defaults of its Compose file from the profile branch', async () => {
    const branch = await loadProfile(definition, 'branch')
    expect(parseCompose(text, profileVariables(branch))).toEqual(parseCompose(text, {}))
  })

  it('has a profile for each size of site, each with all of the variables', async () => {
    expect(await profileNames(definition)).toEqual(['branch', 'campus', 'datacentre'])
    for (const name of await profileNames(definition)) {
      const variables = profileVariables(await loadProfile(definition, name))
      expect(Object.keys(variables).sort()).toEqual([
        'ALLOWED_NETWORKS',
        'DNS_CACHE',
        'DNS_MEMORY',
        'DNS_PORT',
        'DNS_RESTART',
        'OPTIMISER_CACHE',
        'OPTIMISER_MEMORY',
        'OPTIMISER_PORT',
        'OPTIMISER_RESTART',
      ])
    }
  })

  it('runs the image of its own name and version in every service', () => {
    const images = parseCompose(text, {}).services.map(({ image }) => image)
    expect(new Set(images)).toEqual(new Set([`${definition.name}:${definition.version}`]))
  })

  it('drops every capability that a service does not need, and privileges that a file would give', () => {
    const facts = parseCompose(text, {}).services.map(
      ({ name, user, capAdd, capDrop, securityOpt, init, logging }) => ({
        name,
        user,
        capAdd,
        capDrop,
        securityOpt,
        init,
        logging,
      }),
    )
    const common = {
      capDrop: ['ALL'],
      securityOpt: ['no-new-privileges:true'],
      init: true,
      logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
    }
    expect(facts).toEqual([
      {
        name: 'dns',
        user: undefined,
        capAdd: ['KILL', 'NET_ADMIN', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
        ...common,
      },
      { name: 'optimiser', user: 'proxy', capAdd: [], ...common },
    ])
  })

  it('gives every script of an overlay the mode of a program', async () => {
    for (const component of definition.components) {
      const [rootfs] = component.rootfs
      if (!rootfs) continue
      const entries = await readdir(rootfs, { recursive: true, withFileTypes: true })
      const scripts: string[] = []
      for (const entry of entries) {
        const file = path.join(entry.parentPath, entry.name)
        if (!entry.isFile() || !(await readFile(file, 'utf8')).startsWith('#!')) continue
        scripts.push(`/${path.relative(rootfs, file).split(path.sep).join('/')}`)
      }
      const programs = component.files.filter(({ mode }) => mode === 0o755).map((rule) => rule.path)
      expect(programs.sort()).toEqual(scripts.sort())
    }
  })

  it('is reached over IPv4 alone unless a profile says more', () => {
    for (const { ports } of parseCompose(text, {}).services)
      for (const { hostAddress } of ports) expect(hostAddress).toBe('0.0.0.0')
  })

  it('publishes no port that its components do not declare', () => {
    const declared = definition.components.flatMap(({ ports }) => ports)
    for (const { ports } of parseCompose(text, {}).services)
      for (const { target, protocol } of ports) expect(declared).toContain(`${target}/${protocol}`)
  })
})
