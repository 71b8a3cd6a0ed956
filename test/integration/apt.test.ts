import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PackageIndex } from '../../src/debian/package-index.ts'
import { resolve } from '../../src/debian/resolver.ts'
import { loadDefinition } from '../../src/definition/load.ts'
import { openPrivateApt, type PrivateApt } from '../support/private-apt.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository } from '../support/slipway.ts'

/** apt adds itself to the Essential set, which Debian does not. */
const essential = '?and(?essential,?not(?exact-name(apt)))'
const reference =
  'essential squid-openssl dnsmasq-base nftables iproute2 iputils-ping netbase ca-certificates openssl squidclient'

const requests = {
  amd64: `
    squid, squid-openssl, squidclient, dnsmasq, dnsmasq-base, nginx, haproxy, varnish, apache2, stunnel4, tinyproxy,
    kcptun, dnsdist, unbound, bind9, pdns-recursor, openssh-server, openvpn, strongswan, wireguard, wireguard-tools,
    keepalived, chrony, systemd, systemd-sysv, udev, dbus, cron, logrotate, rsyslog, sudo, iproute2, iputils-ping,
    iptables, nftables, tcpdump, snmpd, freeradius, slapd, samba, postfix, exim4, postgresql, mariadb-server, docker.io,
    python3, perl, php, npm, gcc, build-essential, git, vim, curl, rsync, network-manager, gnome-shell,
    squid dnsmasq, exim4 postfix-doc, openssh-server systemd-sysv nginx, gawk base-files, essential, ${reference}`,
  arm64: `squid, dnsmasq, kcptun, openssh-server, postgresql, ${reference}`,
}

describe.each(['amd64', 'arm64'] as const)(
  'the resolver chooses what apt chooses, for %s',
  (architecture) => {
    let scratch: Scratch
    let apt: PrivateApt
    let index: PackageIndex

    beforeAll(async () => {
      scratch = await makeScratch('apt')
      const { debian } = await loadDefinition(repository)
      apt = await openPrivateApt(path.join(scratch.path, architecture), architecture, debian)
      index = await apt.index()
    })

    afterAll(() => scratch.remove())

    const names = requests[architecture].split(',').map((request) => request.trim().replace(/\s+/g, ' '))
    it.concurrent.each(names)('%s', async (request) => {
      const asked = request.split(' ')
      const packages = asked.filter((name) => name !== 'essential')
      const resolution = resolve({
        index,
        wanted: [{ by: 'test', packages }],
        ...(packages.length < asked.length ? { essentialFor: 'base' } : {}),
      })
      const chosen = resolution.packages.map(({ package: { name, version } }) => `${name} ${version}`)
      expect(chosen.sort()).toEqual(
        await apt.simulate(asked.map((name) => (name === 'essential' ? essential : name))),
      )
    })
  },
)
