// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of Compose.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadDefinition } from '../../../src/definition/load.ts'
import { DefinitionError } from '../../../src/definition/problem.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { repository } from '../../support/slipway.ts'

const appliance = `name: tiny
version: 1.0.0
debian:
  suite: trixie
  keyrings: [keys/debian.asc]
layers: [base, brand]
brand: { vendor: Tiny, product: Tiny, command: tiny, support: nobody }
`

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('load')
  await put('appliance.yaml', appliance)
  await put('keys/debian.asc', 'a key')
  await put('images/base/component.yaml', 'essential: true\n')
  await put('compose/appliance.yaml', 'services:\n  web: { image: "${IMAGE:-tiny}" }\n')
})
afterEach(() => scratch.remove())

async function put(file: string, text: string): Promise<void> {
  const target = path.join(scratch.path, ...file.split('/'))
  await mkdir(path.dirname(target), { recursive: true })
  await writeFile(target, text)
}

const load = () => loadDefinition(scratch.path)

async function refusal(): Promise<string> {
  try {
    await load()
  } catch (error) {
    if (error instanceof DefinitionError) return error.message
    throw error
  }
  return 'nothing was refused'
}

const correct = ' Correct it, then run: slipway validate'

describe('loadDefinition', () => {
  it('fills in what a product directory leaves open', async () => {
    expect(await load()).toEqual({
      directory: scratch.path,
      roots: [{ directory: scratch.path, label: '' }],
      name: 'tiny',
      version: '1.0.0',
      description: '',
      debian: {
        suite: 'trixie',
        archiveComponents: ['main'],
        updates: true,
        security: true,
        snapshots: [],
        keyrings: [path.join(scratch.path, 'keys', 'debian.asc')],
      },
      platforms: ['linux/amd64', 'linux/arm64'],
      layers: ['base', 'brand'],
      pins: {},
      exclude: {},
      omit: [],
      accept: [],
      keys: [],
      brand: { vendor: 'Tiny', product: 'Tiny', command: 'tiny', support: 'nobody' },
      components: [
        {
          name: 'base',
          layer: 'base',
          packages: [],
          essential: true,
          groups: [],
          users: [],
          directories: [],
          files: [],
          links: [],
          rootfs: [],
          sources: [],
          ports: [],
          checks: [],
        },
      ],
      checks: [],
      composeFile: path.join(scratch.path, 'compose', 'appliance.yaml'),
      recipeFolders: [
        path.join(scratch.path, 'images', 'recipes'),
        path.join(repository, 'images', 'recipes'),
      ],
    })
  })

  it('takes a reason of several lines as one line, as the lock holds it', async () => {
    await put(
      'appliance.yaml',
      `${appliance}exclude:\n  cron: >\n    no timer\n  dbus: |\n    nobody calls it,\n    and none will\n`,
    )
    expect((await load()).exclude).toEqual({ cron: 'no timer', dbus: 'nobody calls it, and none will' })
  })

  it('reads a component whole: octal modes, default owners and shells, its overlay', async () => {
    await put('images/tools/rootfs/etc/motd', 'hello')
    await put(
      'images/tools/component.yaml',
      `layer: brand
packages: [iproute2]
groups: [{ name: ops, gid: 200 }]
users: [{ name: op, uid: 201, group: ops }]
directories: [{ path: /srv/data, mode: "2770", group: ops }, { path: /srv/plain }]
files: [{ path: /etc/motd, mode: "0640" }, { path: /etc/x, owner: op }]
links: [{ path: /srv/link, target: data }]
ports: [53/udp]
checks: [{ file: /etc/motd, mode: "0640", contains: hello }, { user: op, uid: 201 }, { absent: /etc/y }]
`,
    )
    expect((await load()).components[1]).toEqual({
      name: 'tools',
      layer: 'brand',
      packages: ['iproute2'],
      essential: false,
      groups: [{ name: 'ops', gid: 200 }],
      users: [
        {
          name: 'op',
          uid: 201,
          group: 'ops',
          home: '/nonexistent',
          shell: '/usr/sbin/nologin',
          comment: '',
        },
      ],
      directories: [
        { path: '/srv/data', mode: 0o2770, owner: 'root', group: 'ops' },
        { path: '/srv/plain', mode: 0o755, owner: 'root', group: 'root' },
      ],
      files: [
        { path: '/etc/motd', mode: 0o640 },
        { path: '/etc/x', owner: 'op' },
      ],
      links: [{ path: '/srv/link', target: 'data' }],
      rootfs: [path.join(scratch.path, 'images', 'tools', 'rootfs')],
      sources: [],
      ports: ['53/udp'],
      checks: [
        { file: '/etc/motd', mode: 0o640, contains: 'hello' },
        { user: 'op', uid: 201 },
        { absent: '/etc/y' },
      ],
    })
  })

  it('orders components by layer, then by name', async () => {
    await put('images/alpha/component.yaml', 'layer: brand\n')
    await put('images/zeta/component.yaml', 'layer: base\n')
    await put('images/recipes/squid.yaml', 'no component')
    expect((await load()).components.map(({ name }) => name)).toEqual(['base', 'zeta', 'alpha'])
  })

  it('means the same with CRLF line ends', async () => {
    const before = await load()
    await put('appliance.yaml', appliance.replaceAll('\n', '\r\n'))
    expect(await load()).toEqual(before)
  })

  it('says where to look when the directory holds no product', async () => {
    await rm(path.join(scratch.path, 'appliance.yaml'))
    await expect(load()).rejects.toMatchObject({
      code: 'no-definition',
      exitCode: 2,
      message: `There is no appliance.yaml in ${scratch.path}; go to the product directory, or name it with: slipway --directory DIR`,
    })
  })

  it.each([
    [
      'a misspelt key',
      'suite: trixie',
      'suit: trixie',
      'appliance.yaml:4: debian.suit is unknown; did you mean suite? Known in debian: suite, archiveComponents, updates, security, mirror, securityMirror, snapshots, keyrings.',
    ],
    [
      'a missing key',
      'name: tiny\n',
      '',
      'appliance.yaml:1: name is missing; it must be lower-case letters, digits and single hyphens, such as "slipway-reference".',
    ],
    [
      'a version that YAML takes for a number',
      '1.0.0',
      '1.0',
      'appliance.yaml:2: version is "1.0"; it must be a semantic version in quotes where YAML needs them, such as 1.4.0.',
    ],
    [
      'a name with capitals',
      'name: tiny',
      'name: Tiny',
      'appliance.yaml:1: name is "Tiny"; it must be lower-case letters, digits and single hyphens, such as "slipway-reference".',
    ],
    [
      'a wrong type',
      '[base, brand]',
      'base',
      'appliance.yaml:6: layers is "base"; it must be a list of layer names, bottom to top; the last is the brand\'s.',
    ],
    [
      'a keyring that is not there',
      'keys/debian.asc',
      'keys/none.asc',
      'appliance.yaml:5: debian.keyrings[0] is "keys/none.asc", but there is no such file.',
    ],
    [
      'a keyring by its absolute path',
      'keys/debian.asc',
      '/etc/key.asc',
      'appliance.yaml:5: debian.keyrings[0] is "/etc/key.asc"; it must be a path relative to appliance.yaml with forward slashes.',
    ],
    [
      'a key that stands twice',
      'name: tiny',
      'name: tiny\nname: tidy',
      'appliance.yaml:2: the key name stands twice in the same place; keep one of them.',
    ],
    [
      'a tab',
      '  suite',
      '\tsuite',
      'appliance.yaml:4: a tab is used for indentation; YAML allows spaces only.',
    ],
    [
      'a layer that no component can have',
      '[base, brand]',
      '[bse, brand]',
      'images/base/component.yaml:1: the layer is "base"; it must be one of appliance.yaml\'s layers: bse, brand; did you mean bse?',
    ],
    [
      'a platform that is unknown',
      'name: tiny',
      'platforms: [linux/amd46]\nname: tiny',
      'appliance.yaml:1: platforms[0] is "linux/amd46"; it must be linux/amd64 or linux/arm64; did you mean linux/amd64?',
    ],
    [
      'an exclusion without a reason',
      'name: tiny',
      'exclude: { cron: no }\nname: tiny',
      'appliance.yaml:1: exclude.cron is "no"; it must be a reason in words, eight letters at the least.',
    ],
    [
      'a name that no package has',
      'name: tiny',
      'pins: { LibSSL: 3.* }\nname: tiny',
      'appliance.yaml:1: the key pins.LibSSL must be a Debian package name.',
    ],
    [
      'a mirror that is no URL',
      'suite: trixie',
      'mirror: mirror.example\n  suite: trixie',
      'appliance.yaml:4: debian.mirror is "mirror.example"; it must be an http, https or file URL, such as https://mirror.example/debian.',
    ],
    [
      'a check of two things',
      'name: tiny',
      'checks: [{ file: /a, absent: /b }]\nname: tiny',
      'appliance.yaml:1: checks[0] is a map of keys; it must be a check with exactly one of file, absent, package, user or port.',
    ],
    [
      'a detail beside the wrong check',
      'name: tiny',
      'checks: [{ port: 53/udp, mode: "0644" }]\nname: tiny',
      'appliance.yaml:1: checks[0].mode is allowed beside file only.',
    ],
  ])('refuses %s in appliance.yaml', async (_, from, to, sentence) => {
    await put('appliance.yaml', appliance.replace(from, to))
    expect(await refusal()).toBe(sentence + correct)
  })

  it.each([
    [
      'a mode that YAML takes for a number',
      'files: [{ path: /a, mode: 755 }]',
      'files[0].mode is 755; it must be three or four octal digits in quotes, such as "0755".',
    ],
    [
      'a user id out of range',
      'users: [{ name: a, uid: 70000, group: a }]',
      'users[0].uid is 70000; it must be a whole number from 0 to 65535.',
    ],
    [
      'a relative path',
      'links: [{ path: a, target: b }]',
      'links[0].path is "a"; it must be an absolute path in the image without a slash at its end.',
    ],
    [
      'a port without its protocol',
      'ports: [53]',
      'ports[0] is 53; it must be a port from 1 to 65535 and its protocol, such as 53/udp.',
    ],
    ['a package twice', 'packages: [squid, squid]', 'packages[1] is "squid", which the list has already.'],
    ['text', 'hello', 'the file is "hello"; it must be a map of keys.'],
    ['nothing', '', 'the file is empty; it must be a map of keys.'],
    [
      'a tag that runs code elsewhere',
      'packages: !!js/function "x"',
      'this is not YAML: unresolved tag: tag:yaml.org,2002:js/function.',
    ],
    [
      'half a file',
      'packages: [squid',
      'this is not YAML: flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
  ])('refuses %s in component.yaml', async (_, text, sentence) => {
    await put('images/base/component.yaml', text)
    expect(await refusal()).toBe(`images/base/component.yaml:1: ${sentence}${correct}`)
  })

  it('stops at aliases that would grow without end', async () => {
    const laughs = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`)
    await put('images/base/component.yaml', `a0: &a0 [x]\n${laughs.join('\n')}\n`)
    expect(await refusal()).toBe(
      `images/base/component.yaml:1: the aliases (*name) of this file refer to themselves, or grow without end; write out what they stand for.${correct}`,
    )
  })

  it('stops at an alias inside its own anchor', async () => {
    await put('compose/appliance.yaml', 'services: &all { web: *all }\n')
    expect(await refusal()).toBe(
      `compose/appliance.yaml:1: the aliases (*name) of this file refer to themselves, or grow without end; write out what they stand for.${correct}`,
    )
  })

  it('refuses a second document in a file', async () => {
    await put('profiles/site.yaml', 'description: one\n---\ndescription: two\n')
    expect(await refusal()).toBe(
      `profiles/site.yaml:2: a second document begins here (---); keep one in a file.${correct}`,
    )
  })

  it.each([
    ['UTF-16', Buffer.from('\ufeffessential: true\n', 'utf16le'), 1, 'this is UTF-16; save it as UTF-8'],
    [
      'Latin-1',
      Buffer.from('# a\ndescription: gr\xfcn\n', 'latin1'),
      2,
      'a letter here is not UTF-8; save the file as UTF-8',
    ],
    ['a byte of zero', Buffer.from('# a\n\0'), 2, 'a byte of zero stands here; this is no text file'],
    [
      'a merge that was left',
      Buffer.from('<<<<<<< HEAD\nessential: true\n=======\n>>>>>>> x\n'),
      1,
      'a merge conflict begins here (<<<<<<<); settle it',
    ],
  ])('says what a file is instead of YAML: %s', async (_, bytes, line, text) => {
    await writeFile(path.join(scratch.path, 'images', 'base', 'component.yaml'), bytes)
    expect(await refusal()).toBe(`images/base/component.yaml:${line}: ${text}.${correct}`)
  })

  it('passes over the byte order mark of a Windows editor', async () => {
    await put('appliance.yaml', `\uFEFF${appliance}`)
    expect((await load()).name).toBe('tiny')
  })

  it('refuses a product without a Compose file', async () => {
    await rm(path.join(scratch.path, 'compose'), { recursive: true })
    expect(await refusal()).toBe(`compose/appliance.yaml: there is no such file.${correct}`)
  })

  it('names a file that cannot be read', async () => {
    await rm(path.join(scratch.path, 'compose'), { recursive: true })
    await mkdir(path.join(scratch.path, 'compose', 'appliance.yaml'), { recursive: true })
    expect(await refusal()).toBe(`compose/appliance.yaml: it cannot be read (EISDIR).${correct}`)
  })

  it.each([
    [
      'services: { wbe: { memory: 1g } }',
      'services.wbe is no service of the Compose file; it must be one of web; did you mean web?',
    ],
    [
      'services: { web: { memory: 1g } }',
      'services.web.memory has no effect: compose/appliance.yaml does not use the variable WEB_MEMORY.',
    ],
    [
      'allowedNetworks: [10.0.0.0/8]',
      'allowedNetworks has no effect: compose/appliance.yaml does not use the variable ALLOWED_NETWORKS.',
    ],
    [
      'upstreamDns: [192.0.2.53]',
      'upstreamDns has no effect: compose/appliance.yaml does not use the variable UPSTREAM_DNS.',
    ],
  ])('refuses a profile that says %s', async (text, sentence) => {
    await put('profiles/site.yaml', `${text}\n`)
    expect(await refusal()).toBe(`profiles/site.yaml:1: ${sentence}${correct}`)
  })

  it('refuses the address of a port that the Compose file would not use', async () => {
    await put('compose/appliance.yaml', 'services:\n  web: { image: a, ports: ["${WEB_PORT:-80}:80"] }\n')
    await put('profiles/site.yaml', 'services: { web: { port: 192.0.2.1:80 } }\n')
    expect(await refusal()).toBe(
      `profiles/site.yaml:1: services.web.port has no effect: compose/appliance.yaml does not use the variable WEB_ADDRESS.${correct}`,
    )
  })

  it('tells a mistake of a profile once, however many extend it', async () => {
    await put('profiles/a.yaml', 'services: 5\n')
    await put('profiles/b.yaml', 'extends: a\n')
    await put('profiles/c.yaml', 'extends: b\n')
    expect(await refusal()).toBe(
      `profiles/a.yaml:1: services is 5; it must be a map of the Compose file's services.${correct}`,
    )
  })

  it('refuses a service of a component that is not there', async () => {
    await put('compose/appliance.yaml', 'services:\n  web: { image: a, x-slipway: { component: bse } }\n')
    expect(await refusal()).toBe(
      `compose/appliance.yaml:2: services.web.x-slipway.component is "bse"; it must be a component: base; did you mean base?${correct}`,
    )
  })

  it.each([
    [
      'a volume that nothing mounts',
      'services:\n  web: { image: a }\nvolumes:\n  data:\n',
      'compose/appliance.yaml:4: volumes.data is mounted by no service; a list of volumes replaces the one beneath, and volumes+ adds to it; or take the volume away with an empty value.',
    ],
    [
      'a network that nothing joins',
      'services:\n  web: { image: a }\nnetworks:\n  inner:\n',
      'compose/appliance.yaml:4: networks.inner is joined by no service.',
    ],
    [
      'services that wait for each other',
      'services:\n  web: { image: a, depends_on: [db] }\n  db: { image: a, depends_on: [web] }\n',
      'compose/appliance.yaml:2: services.web.depends_on goes in a circle: web → db → web.',
    ],
    [
      'a port of the host that another service has',
      'services:\n  web: { image: a, ports: ["80:80", "127.0.0.1:81:80"] }\n  db: { image: a, ports: ["127.0.0.2:81:80", "80:80/udp", "127.0.0.1:80:8080"] }\n',
      'compose/appliance.yaml:3: services.db.ports[2] publishes the port 80/tcp, which web publishes already.',
    ],
    [
      'a variable that is nearly one of a service',
      'services:\n  web:\n    image: a\n    mem_limit: ${WBE_MEMORY:-5m}\n',
      'compose/appliance.yaml:4: services.web.mem_limit uses the variable WBE_MEMORY, which nothing sets; did you mean WEB_MEMORY?',
    ],
    [
      'a mount of whoever runs it',
      'services:\n  web: { image: a, volumes: ["~/x:/x"] }\n',
      'compose/appliance.yaml:2: services.web.volumes[0] is "~/x:/x"; it must be a mount such as cache:/var/spool/squid or ./file:/etc/file:ro (~ is another folder for everyone who runs it).',
    ],
    [
      'a health check that the Engine would never run',
      'services:\n  web: { image: a, healthcheck: { test: [/usr/bin/health] } }\n',
      'compose/appliance.yaml:2: services.web.healthcheck.test[0] is "/usr/bin/health"; it must be CMD, CMD-SHELL or NONE, before the command.',
    ],
    [
      'more memory than memory and swap together',
      'services:\n  web:\n    image: a\n    mem_limit: 1g\n    memswap_limit: ${WEB_MEMORY:-512m}\n',
      'compose/appliance.yaml:5: services.web.memswap_limit is 512m, less than mem_limit (1g); it counts memory and swap together, so that it must be at least as much.',
    ],
    [
      'an image of somebody else beside the one that is built',
      'services:\n  web: { image: "${APPLIANCE_IMAGE:-a}" }\n  db: { image: postgres }\n',
      'compose/appliance.yaml:3: services.db.image is not the image that is built, and every service runs that; write ${APPLIANCE_IMAGE:-NAME}.',
    ],
    [
      'a capability that Linux does not have',
      'services:\n  web: { image: a, cap_add: [NET_ADMN] }\n',
      'compose/appliance.yaml:2: services.web.cap_add[0] is "NET_ADMN"; it must be a capability without its CAP_, such as NET_BIND_SERVICE.',
    ],
  ])('refuses in the Compose file what would come to nothing: %s', async (_, text, sentence) => {
    await put('compose/appliance.yaml', text)
    expect(await refusal()).toBe(sentence + correct)
  })

  it('takes a memswap_limit of 0 for none, as the Engine does', async () => {
    await put('compose/appliance.yaml', 'services:\n  web: { image: a, mem_limit: 1g, memswap_limit: 0 }\n')
    expect((await load()).name).toBe('tiny')
  })

  it('refuses a component that asks for a licence and is run by no service', async () => {
    await put('images/base/component.yaml', 'essential: true\nlicence: wan\n')
    expect(await refusal()).toBe(
      `compose/appliance.yaml:1: services run no component base, which asks for a licence, and no volume holds one, so that none would be asked for; name it under x-slipway of its service, and mount a volume with \`x-slipway: { holds: licence }\` there read-only.${correct}`,
    )
  })

  it('refuses a service in two files of one product, and passes over its like in a file of the same name', async () => {
    await put('compose/more.yaml', 'services:\n  web: { image: a }\n')
    expect(await refusal()).toBe(
      `compose/more.yaml:2: services.web stands in compose/appliance.yaml too; what changes it belongs into a file of that name.${correct}`,
    )
  })

  it('passes over nothing that looks like a part of the product', async () => {
    await put('compose/more.yml', 'services: {}\n')
    await put('profiles/shop.yml', 'description: x\n')
    await put('profiles/my shop.yaml', 'description: x\n')
    await put('images/recipes/x.yml', 'package: x\n')
    await put('images/bsae/rootfs/etc/x', 'x')
    await put('images/agent/component.yml', 'description: x\n')
    await put('images/base/rootfs', 'no folder')
    await put('images/keyrings/notes.txt', 'no component either')
    expect((await refusal()).split('\n').slice(1, -1)).toEqual([
      '  compose/more.yml: nothing reads this file; name it more.yaml.',
      '  profiles/shop.yml: nothing reads this file; name it shop.yaml.',
      '  images/recipes/x.yml: nothing reads this file; name it x.yaml.',
      "  profiles/my shop.yaml: a profile's name has at most 64 letters, digits, dots, hyphens and underscores.",
      '  images/agent/component.yml: there is no component.yaml in images/agent, so that nothing of it is built.',
      '  images/base/rootfs: this is no folder, so that nothing of it is built.',
      '  images/bsae/rootfs: there is no component.yaml in images/bsae, so that nothing of it is built; did you mean images/base?',
    ])
  })

  it.each(['if', 'test', 'docker', 'tiny-', '9'])('refuses %s as a command', async (command) => {
    await put('appliance.yaml', appliance.replace('command: tiny', `command: "${command}"`))
    expect(await refusal()).toBe(
      `appliance.yaml:7: brand.command is "${command}"; it must be the command a user types: lower-case letters, digits and hyphens, and no word of the shell's own.${correct}`,
    )
  })

  it.each([
    ['logo.svg', 'hello', 'SVG'],
    ['logo.svg', '', 'SVG'],
    ['logo.png', '<svg/>', 'PNG'],
  ])('refuses a logo that is no picture of its kind: %s of %j', async (logo, content, kind) => {
    await put('appliance.yaml', appliance.replace('support: nobody', `support: nobody, logo: ${logo}`))
    await put(logo, content)
    expect(await refusal()).toBe(
      `appliance.yaml:7: brand.logo is "${logo}", which is no ${kind} picture.${correct}`,
    )
  })

  it('refuses a name of two lines, a path with .. and a port that is none', async () => {
    await put('appliance.yaml', appliance.replace('vendor: Tiny', 'vendor: "a\\nb"'))
    await put('images/base/component.yaml', 'ports: [99999/tcp]\nlinks: [{ path: /a/../b, target: x }]\n')
    expect((await refusal()).split('\n').slice(1, -1)).toEqual([
      '  appliance.yaml:7: brand.vendor is "a\\nb"; it must be a company\'s name, in one line.',
      '  images/base/component.yaml:1: ports[0] is "99999/tcp"; it must be a port from 1 to 65535 and its protocol, such as 53/udp.',
      '  images/base/component.yaml:2: links[0].path is "/a/../b"; it must be an absolute path in the image without a slash at its end.',
    ])
  })

  it('tells the mistakes of all files at once, as data too', async () => {
    await put('appliance.yaml', appliance.replace('command', 'comand'))
    await put('images/base/component.yaml', 'esential: true\n')
    await put('compose/appliance.yaml', 'services:\n  web: { imge: tiny }\n')
    await put('profiles/site.yaml', 'servces: {}\n')
    await expect(load()).rejects.toMatchObject({
      problems: [
        {
          file: 'appliance.yaml',
          line: 7,
          path: 'brand.comand',
          text: 'brand.comand is unknown; did you mean command? Known in brand: vendor, product, command, support, banner, colours, logo',
        },
        {
          file: 'images/base/component.yaml',
          line: 1,
          path: 'esential',
          text: 'esential is unknown; did you mean essential? Known at the top: description, layer, essential, optional, packages, sources, groups, users, directories, files, links, ports, checks, licence',
        },
        {
          file: 'compose/appliance.yaml',
          line: 2,
          path: 'services.web.imge',
          text: expect.stringContaining('services.web.imge is unknown; did you mean image?'),
        },
        {
          file: 'profiles/site.yaml',
          line: 1,
          path: 'servces',
          text: expect.stringContaining('servces is unknown; did you mean services?'),
        },
      ],
    })
  })
})
