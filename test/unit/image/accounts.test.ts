import { describe, expect, it } from 'vitest'
import { addGroup, addMember, addUser, createShadow, groupId, userId } from '../../../src/image/accounts.ts'
import { caught } from '../../support/caught.ts'
import { tinyTree } from '../../support/tiny-tree.ts'

const passwd = 'root:*:0:0:root:/root:/bin/bash\nproxy:*:13:13:proxy:/bin:/usr/sbin/nologin\n'
const group = 'root:*:0:\nproxy:*:13:\nshadow:*:42:\nnogroup:*:65534:\n'
const base = () => tinyTree({ 'etc/passwd': passwd, 'etc/group': group })
const dnsmasq = {
  name: 'dnsmasq',
  uid: 999,
  gid: 65534,
  home: '/var/lib/misc',
  shell: '/usr/sbin/nologin',
  comment: 'dnsmasq',
}

describe('accounts', () => {
  it('finds ids by name; a number stands for itself', () => {
    const tree = base()
    expect([
      userId(tree, 'proxy'),
      groupId(tree, 'nogroup'),
      userId(tree, '123'),
      groupId(tree, '9'),
    ]).toEqual([13, 65534, 123, 9])
  })

  it('knows root before there is a passwd', () => {
    expect([userId(tinyTree(), 'root'), groupId(tinyTree(), 'root')]).toEqual([0, 0])
  })

  it('names a user that the image does not have', () => {
    expect(caught(() => userId(base(), 'squid'))).toMatchObject({
      code: 'no-such-account',
      message:
        'The image has no user "squid" at this point; name it under users in component.yaml, and where a recipe speaks of it, make it there with the effect user too.',
    })
  })

  it('adds users and groups that cannot log in, once', () => {
    const tree = base()
    for (let time = 0; time < 2; time++) {
      addGroup(tree, 'cache', 900)
      addUser(tree, dnsmasq, 20_000)
      addMember(tree, 'dnsmasq', 'cache')
    }
    expect(tree.readText('etc/passwd')).toBe(
      `${passwd}dnsmasq:*:999:65534:dnsmasq:/var/lib/misc:/usr/sbin/nologin\n`,
    )
    expect(tree.readText('etc/group')).toBe(`${group}cache:x:900:dnsmasq\n`)
    expect(tree.get('etc/shadow')).toBeUndefined()
  })

  it('moves passwords to shadow files that only root and the group shadow read', () => {
    const tree = base()
    createShadow(tree, 19_675)
    expect(tree.readText('etc/passwd')).toBe(passwd.replaceAll(':*:', ':x:'))
    expect(tree.readText('etc/group')).toBe(group.replaceAll(':*:', ':x:'))
    expect(tree.readText('etc/shadow')).toBe('root:*:19675:0:99999:7:::\nproxy:*:19675:0:99999:7:::\n')
    expect(tree.readText('etc/gshadow')).toBe('root:*::\nproxy:*::\nshadow:*::\nnogroup:*::\n')
    const { mode, uid, gid } = tree.get('etc/shadow')!
    expect({ mode, uid, gid }).toEqual({ mode: 0o640, uid: 0, gid: 42 })
  })

  it('keeps shadow files in step once they are there', () => {
    const tree = base()
    createShadow(tree, 19_675)
    addGroup(tree, 'cache', 900)
    addUser(tree, dnsmasq, 19_700)
    expect(tree.readText('etc/passwd').split('\n').at(-2)).toBe(
      'dnsmasq:x:999:65534:dnsmasq:/var/lib/misc:/usr/sbin/nologin',
    )
    expect(tree.readText('etc/shadow').split('\n').at(-2)).toBe('dnsmasq:!:19700::::::')
    expect(tree.readText('etc/gshadow').split('\n').at(-2)).toBe('cache:!::')
  })

  it.each([
    [
      () => addUser(base(), { ...dnsmasq, uid: 13 }, 0),
      "The user dnsmasq cannot have the id 13: proxy has it; choose another in the component's users or groups.",
    ],
    [
      () => addUser(base(), { ...dnsmasq, name: 'proxy' }, 0),
      "The user proxy is in the image with the id 13, not 999; choose another in the component's users or groups.",
    ],
    [
      () => addGroup(base(), 'cache', 13),
      "The group cache cannot have the id 13: proxy has it; choose another in the component's users or groups.",
    ],
    [
      () => addGroup(base(), 'proxy', 14),
      "The group proxy is in the image with the id 13, not 14; choose another in the component's users or groups.",
    ],
  ])('refuses a clash (%#)', (action, message) => {
    expect(caught(action)).toMatchObject({ code: 'account-conflict', message })
  })
})
