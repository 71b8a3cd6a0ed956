import { describe, expect, it } from 'vitest'
import { isDebianLike } from '../../../../src/cli/demo/apt.ts'
import { adviseOnEngine, ensureEngine } from '../../../../src/cli/demo/engine-setup.ts'

describe('where no Engine answers', () => {
  it('DOCKER_HOST is named, and nothing is set up for it', async () => {
    const said: string[] = []
    const setup = ensureEngine({
      say: (line) => said.push(line),
      probe: async () => 'silent',
      env: { DOCKER_HOST: 'tcp://engine.example:2375' },
    })
    await expect(setup).rejects.toMatchObject({
      code: 'no-engine',
      exitCode: 3,
      message:
        'No Docker Engine answers at DOCKER_HOST=tcp://engine.example:2375; start it there, or unset DOCKER_HOST to use this machine’s.',
    })
    expect(said).toEqual([])
  })

  it('the sentence says how to get one on this platform', () => {
    expect([
      adviseOnEngine('silent', {}, 'win32'),
      adviseOnEngine('forbidden', {}, 'linux'),
      adviseOnEngine('silent', {}, 'linux'),
    ]).toEqual([
      'No Docker Engine answers on this machine; install Docker Desktop, start it, wait till it says it runs, and run the command again.',
      'The Docker Engine of this machine does not let this user in; run the command as root, or add the user to the group docker and log in again.',
      'No Docker Engine answers on this machine; install one with the distribution’s package manager and start it (as root on Debian and Ubuntu this command does both), then run the command again.',
    ])
  })

  it('an Engine that answers is left alone, also at the end', async () => {
    let asked = 0
    const engine = await ensureEngine({
      say: () => {},
      env: {},
      probe: async () => {
        asked++
        return 'answers'
      },
    })
    await engine.stop()
    expect([asked, engine.started]).toEqual([1, undefined])
  })
})

describe('os-release', () => {
  it('Debian, Ubuntu and their derivatives are known by ID and ID_LIKE, others not', () => {
    const files = [
      'NAME="Debian GNU/Linux"\nID=debian\n',
      'ID=linuxmint\r\nID_LIKE="ubuntu debian"\r\n',
      'ID=fedora\nVARIANT_ID=debianish\n',
      'ID="rhel"\nID_LIKE="fedora"\n',
      '',
    ]
    expect(files.map(isDebianLike)).toEqual([true, true, false, false, false])
  })
})
