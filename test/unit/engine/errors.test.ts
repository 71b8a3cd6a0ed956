import { describe, expect, it } from 'vitest'
import { negotiateApi } from '../../../src/engine/api-version.ts'
import type { Endpoint } from '../../../src/engine/endpoint.ts'
import { translateError } from '../../../src/engine/errors.ts'
import { readEngineStream } from '../../../src/engine/load-stream.ts'

const local: Endpoint = {
  address: 'unix:///var/run/docker.sock',
  transport: 'unix',
  source: 'default',
  socketPath: '/var/run/docker.sock',
}
const remote: Endpoint = {
  address: 'tcp://edge:2376',
  transport: 'tcp',
  source: 'DOCKER_HOST',
  host: 'edge',
  port: 2376,
}

function answer(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  })
}

function system(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code })
}

describe('an error of the Engine', () => {
  it.each([
    [
      system('ENOENT'),
      local,
      'no-engine',
      'No Docker Engine answers at unix:///var/run/docker.sock: `systemctl start docker` starts it, then run the same command again.',
    ],
    [
      system('ECONNREFUSED'),
      remote,
      'no-engine',
      'No Docker Engine answers at tcp://edge:2376 (from DOCKER_HOST): start it there, or point DOCKER_HOST at another, then run the same command again.',
    ],
    [
      answer(404, 'No such container: acme-dns-1'),
      local,
      'gone',
      'The Docker Engine has no container acme-dns-1 any more; run the same command again.',
    ],
    [
      answer(404, 'network acme_default not found'),
      local,
      'gone',
      'The Docker Engine has no network acme_default any more; run the same command again.',
    ],
    [
      answer(500, `RWLayer of container ${'0123456789ab'.padEnd(64, 'c')} is unexpectedly nil`),
      local,
      'gone',
      'The Docker Engine has no container 0123456789ab any more; run the same command again.',
    ],
    [
      system('EACCES'),
      local,
      'engine-permission',
      'This user may not use the Docker Engine at unix:///var/run/docker.sock: run the command with sudo, or `sudo usermod -aG docker $USER` and log in again.',
    ],
    [
      system('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      remote,
      'engine-tls',
      'The Docker Engine at tcp://edge:2376 (from DOCKER_HOST) and this machine do not trust each other (UNABLE_TO_VERIFY_LEAF_SIGNATURE): check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.',
    ],
    [
      system('ECONNRESET'),
      local,
      'engine-gone',
      'The Docker Engine at unix:///var/run/docker.sock closed the connection in the middle: `docker info` shows whether it is back; then run the same command again.',
    ],
    [
      answer(
        500,
        'driver failed programming external connectivity on endpoint x (0f): Bind for 0.0.0.0:3128 failed: port is already allocated',
      ),
      local,
      'port-taken',
      'Port 3128 on the Docker host is already in use; `docker ps` and `ss -lpntu` show by what: stop that, or give the profile another port, then run the same command again.',
    ],
    [
      answer(
        500,
        'driver failed programming external connectivity on endpoint x (0f): Error starting userland proxy: listen udp4 0.0.0.0:53: bind: address already in use',
      ),
      local,
      'port-taken',
      'Port 53/udp on the Docker host is already in use; `docker ps` and `ss -lpntu` show by what: stop that, or give the profile another port, then run the same command again.',
    ],
    [
      answer(
        500,
        'failed to set up container networking: driver failed programming external connectivity on endpoint x (0f): failed to bind host port for 0.0.0.0:53:172.18.0.2:53/udp: address already in use',
      ),
      local,
      'port-taken',
      'Port 53/udp on the Docker host is already in use; `docker ps` and `ss -lpntu` show by what: stop that, or give the profile another port, then run the same command again.',
    ],
    [
      answer(
        500,
        'failed to set up container networking: driver failed programming external connectivity on endpoint x (0f): failed to bind host port 0.0.0.0:53/udp: address already in use',
      ),
      local,
      'port-taken',
      'Port 53/udp on the Docker host is already in use; `docker ps` and `ss -lpntu` show by what: stop that, or give the profile another port, then run the same command again.',
    ],
    [
      answer(
        500,
        'failed to set up container networking: driver failed programming external connectivity on endpoint x (0f): failed to bind host port [::]:53/udp: address already in use',
      ),
      local,
      'port-taken',
      'Port 53/udp on the Docker host is already in use; `docker ps` and `ss -lpntu` show by what: stop that, or give the profile another port, then run the same command again.',
    ],
    [
      answer(
        500,
        'driver failed programming external connectivity on endpoint x (0f): Error starting userland proxy: listen udp4 192.0.2.7:53: bind: cannot assign requested address',
      ),
      local,
      'no-address',
      'The Docker host has no address 192.0.2.7 to publish a port on; `ip address` shows those it has: give the profile one of them, then run the same command again.',
    ],
    [
      answer(
        500,
        'failed to set up container networking: driver failed programming external connectivity on endpoint x (0f): failed to bind host port 192.0.2.7:53/udp: cannot assign requested address',
      ),
      local,
      'no-address',
      'The Docker host has no address 192.0.2.7 to publish a port on; `ip address` shows those it has: give the profile one of them, then run the same command again.',
    ],
    [
      answer(
        500,
        'driver failed programming external connectivity on endpoint x (0f): Error starting userland proxy: error while calling PortManager.AddPort(): cannot expose privileged port 53, … or choose a larger port number (>= 1024): listen tcp4 0.0.0.0:53: bind: permission denied',
      ),
      local,
      'port-not-allowed',
      'The Docker Engine may not publish port 53, as it does not run as root; let it (`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=53`), or give the profile a port from 1024 on, then run the same command again.',
    ],
    [
      answer(500, 'driver failed: listen udp :53: bind: permission denied'),
      local,
      'port-not-allowed',
      'The Docker Engine may not publish port 53, as it does not run as root; let it (`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=53`), or give the profile a port from 1024 on, then run the same command again.',
    ],
    [
      answer(500, `RWLayer is unexpectedly nil for container ${'0123456789ab'.padEnd(64, 'c')}`),
      local,
      'gone',
      'The Docker Engine has no container 0123456789ab any more; run the same command again.',
    ],
    [
      answer(500, 'RWLayer of container /acme-dns-1 is unexpectedly nil'),
      local,
      'gone',
      'The Docker Engine has no container acme-dns-1 any more; run the same command again.',
    ],
    [
      answer(409, 'removal of container acme-reader-0f is already in progress'),
      local,
      'gone',
      'The Docker Engine has no container acme-reader-0f any more; run the same command again.',
    ],
    [
      answer(
        409,
        'Conflict. The container name "/acme-dns-1" is already in use by container "0123456789abcdef". You have to remove (or rename) that container to be able to reuse that name.',
      ),
      local,
      'name-taken',
      'A container named acme-dns-1 exists already (0123456789ab); `docker inspect acme-dns-1` shows whose it is: remove or rename it, or choose another --name.',
    ],
    [
      answer(404, 'No such image: acme:1.0.0'),
      local,
      'no-such-image',
      'The Docker Engine has no image acme:1.0.0; `slipway build --load` builds and loads it.',
    ],
    [
      answer(500, 'write /var/lib/docker/tmp/x: no space left on device'),
      local,
      'no-space',
      "The Docker host's disk is full (write /var/lib/docker/tmp/x: no space left on device); `docker system df` shows what fills it: make room, then run the same command again.",
    ],
    [
      answer(500, 'something new'),
      local,
      'engine-refused',
      'The Docker Engine refused: something new; its log (`journalctl -u docker`) tells more.',
    ],
  ])('%s is one sentence with the next command', (error, endpoint, code, message) => {
    const translated = translateError(error, endpoint)
    expect({ code: translated.code, message: translated.message }).toEqual({ code, message })
  })
})

describe('the JSON stream of a load', () => {
  it('gives its texts, also where lines are cut anywhere', async () => {
    const stream = async function* () {
      yield Buffer.from('{"stream":"Loaded ima')
      yield Buffer.from('ge: acme:1.0.0\\n"}\r\n{"status":"')
      yield Buffer.from('done"}')
    }
    expect(await readEngineStream(stream())).toEqual(['Loaded image: acme:1.0.0', 'done'])
  })

  it('throws the error that comes in it with HTTP status 200', async () => {
    const stream = async function* () {
      yield '{"errorDetail":{"message":"open /tmp/x/layer.tar: no such file or directory"},"error":"open"}\n'
    }
    await expect(readEngineStream(stream())).rejects.toThrow(
      'The Docker Engine refused: open /tmp/x/layer.tar: no such file or directory; its log (`journalctl -u docker`) tells more.',
    )
  })

  it('throws a text that says that an image lacks layers', async () => {
    const stream = async function* () {
      yield '{"stream":"Loaded image: acme:1.0.0\\n"}\n'
      yield '{"stream":"Error unpacking image acme:1.0.0: content digest sha256:0: not found\\n"}\n'
    }
    await expect(readEngineStream(stream())).rejects.toThrow(
      'The Docker Engine refused: Error unpacking image acme:1.0.0: content digest sha256:0: not found; its log (`journalctl -u docker`) tells more.',
    )
  })
})

describe('negotiateApi', () => {
  it('speaks what the Engine offers, up to what is known', () => {
    expect(negotiateApi('1.41', '1.12', '20.10.24')).toBe('1.41')
    expect(negotiateApi('1.99', '1.44', '40.0.0')).toBe('1.51')
  })

  it('refuses an Engine that is too old or too new, naming both versions', () => {
    expect(() => negotiateApi('1.40', '1.12', '19.03.8')).toThrow(
      'Docker Engine 19.03.8 speaks API 1.40 at most, and Slipway needs 1.41 (Engine 20.10): upgrade Docker on that host, then run the same command again.',
    )
    expect(() => negotiateApi('2.10', '2.0', '60.0.0')).toThrow(
      'Docker Engine 60.0.0 speaks API 2.0 at least, and this Slipway 1.51 at most: run it with a newer Slipway.',
    )
  })
})
