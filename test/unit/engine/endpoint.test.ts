import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { findEndpoint, type Machine } from '../../../src/engine/endpoint.ts'

const docker = path.join('/home/me', '.docker')

function machine(files: Record<string, string> = {}, platform: NodeJS.Platform = 'linux'): Machine {
  return { platform, home: '/home/me', read: (file) => files[file] }
}

/** The folder of a context is the SHA-256 of its name; any name's hash is accepted here. */
function contextMachine(host: string, tls: Record<string, string> = {}, current?: string): Machine {
  return {
    platform: 'linux',
    home: '/home/me',
    read: (file) => {
      if (file === path.join(docker, 'config.json'))
        return current && `\uFEFF{"currentContext":"${current}"}\r\n`
      if (path.basename(file) === 'meta.json')
        return `{"Name":"edge","Endpoints":{"docker":{"Host":"${host}"}}}`
      return tls[path.basename(file)]
    },
  }
}

describe('findEndpoint', () => {
  it("takes the platform's own socket or pipe where nothing is said", () => {
    expect(findEndpoint({}, machine())).toEqual({
      address: 'unix:///var/run/docker.sock',
      transport: 'unix',
      source: 'default',
      socketPath: '/var/run/docker.sock',
    })
    expect(findEndpoint({}, machine({}, 'win32'))).toEqual({
      address: 'npipe:////./pipe/docker_engine',
      transport: 'npipe',
      source: 'default',
      socketPath: '//./pipe/docker_engine',
    })
  })

  it('takes DOCKER_HOST before any context', () => {
    const env = { DOCKER_HOST: 'ssh://admin@edge.example:2222', DOCKER_CONTEXT: 'edge' }
    expect(findEndpoint(env, machine())).toEqual({
      address: 'ssh://admin@edge.example:2222',
      transport: 'ssh',
      source: 'DOCKER_HOST',
      host: 'edge.example',
      port: 2222,
      user: 'admin',
    })
  })

  it('speaks TLS with the files of DOCKER_CERT_PATH', () => {
    const files = {
      [path.join('/certs', 'ca.pem')]: 'CA',
      [path.join('/certs', 'cert.pem')]: 'CERT',
      [path.join('/certs', 'key.pem')]: 'KEY',
    }
    const env = { DOCKER_HOST: 'tcp://10.0.0.5', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }
    expect(findEndpoint(env, machine(files))).toEqual({
      address: 'tcp://10.0.0.5',
      transport: 'tcp',
      source: 'DOCKER_HOST',
      host: '10.0.0.5',
      port: 2376,
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY', skipVerify: false },
    })
  })

  it('takes the context of DOCKER_CONTEXT, then the current one of config.json', () => {
    const tls = { 'ca.pem': 'CA' }
    expect(findEndpoint({ DOCKER_CONTEXT: 'edge' }, contextMachine('tcp://edge.example:2376', tls))).toEqual({
      address: 'tcp://edge.example:2376',
      transport: 'tcp',
      source: 'context edge',
      host: 'edge.example',
      port: 2376,
      tls: { ca: 'CA', skipVerify: false },
    })
    expect(findEndpoint({}, contextMachine('unix:///run/user/1000/docker.sock', {}, 'rootless'))).toEqual({
      address: 'unix:///run/user/1000/docker.sock',
      transport: 'unix',
      source: 'context rootless',
      socketPath: '/run/user/1000/docker.sock',
    })
  })

  it('refuses an address it cannot read and a context that is not there', () => {
    expect(() => findEndpoint({ DOCKER_HOST: 'ftp://x' }, machine())).toThrow(
      '"ftp://x" (from DOCKER_HOST) is no Docker address; write unix:///path, npipe:////./pipe/name, tcp://host:2376 or ssh://user@host.',
    )
    expect(() => findEndpoint({ DOCKER_CONTEXT: 'gone' }, machine())).toThrow(
      `There is no Docker context "gone" under ${docker}; \`docker context ls\` lists them, and DOCKER_CONTEXT=default takes this machine's own Engine.`,
    )
  })

  it('says which file of Docker is broken', () => {
    const file = path.join(docker, 'config.json')
    expect(() => findEndpoint({}, machine({ [file]: '{"currentContext": ' }))).toThrow(
      `${file} is not JSON; repair it or set DOCKER_HOST.`,
    )
  })
})
