import { describe, expect, it } from 'vitest'
import { isDebianLike } from '../../../../src/cli/demo/apt.ts'
import { adviseOnEngine, ensureEngine } from '../../../../src/cli/demo/engine-setup.ts'
import { connectEngine } from '../../../../src/engine/connect.ts'
import { SlipwayError } from '../../../../src/lib/errors.ts'

describe('where no Engine answers', () => {
  it('DOCKER_HOST is named, and nothing is set up for it', async () => {
    const said: string[] = []
    const setup = ensureEngine({
      say: (line) => said.push(line),
      connect: connectEngine,
      env: { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    })
    await expect(setup).rejects.toMatchObject({
      code: 'no-engine',
      exitCode: 3,
      message:
        'No Docker Engine answers at tcp://127.0.0.1:1 (from DOCKER_HOST): start it there, or point DOCKER_HOST at another, then run the same command again.',
    })
    expect(said).toEqual([])
  })

  it('one that answers but is too old is not replaced', async () => {
    const tooOld = new SlipwayError('api-too-old', 'Docker Engine 19.03 speaks API 1.40 at most.')
    const setup = ensureEngine({ say: () => {}, env: {}, connect: () => Promise.reject(tooOld) })
    await expect(setup).rejects.toMatchObject({ code: 'api-too-old', exitCode: 3, message: tooOld.message })
  })

  it('the sentence says how to get one on this platform', () => {
    expect([adviseOnEngine('win32'), adviseOnEngine('linux')]).toEqual([
      'No Docker Engine answers on this machine; install Docker Desktop, start it, wait till it says it runs, and run the command again.',
      'No Docker Engine answers on this machine; install one with the distribution’s package manager and start it (as root on Debian and Ubuntu this command does both), then run the command again.',
    ])
  })

  it('an Engine that answers is left alone, also at the end', async () => {
    let asked = 0
    const engine = await ensureEngine({
      say: () => {},
      env: {},
      connect: async () => {
        asked++
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
