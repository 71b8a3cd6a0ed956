import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import { until } from './until.ts'

/** This machine as the far end of an ssh:// address, with its host and user keys in a folder of the test's own. */
export interface SshServer {
  readonly port: number
  /** Has a PATH whose `ssh` reads the folder's configuration alone: there `edge` is this server, at its port. */
  readonly env: NodeJS.ProcessEnv
  /** The client's list of host keys, which knows the server. */
  readonly knownHosts: string
  /** The server's list of users' keys. */
  readonly authorizedKeys: string
  close(): Promise<void>
}

/** Starts Debian's sshd on loopback, as root. */
export async function startSshServer(folder: string): Promise<SshServer> {
  const file = (name: string): string => path.join(folder, name)
  for (const name of ['host', 'user'])
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
  await writeFile(file('authorized_keys'), await readFile(file('user.pub')))
  const port = await freePort()
  const host = (await readFile(file('host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${host}\n`)
  await writeFile(
    file('sshd_config'),
    [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${file('host')}`, 'PidFile none'],
      ...[`AuthorizedKeysFile ${file('authorized_keys')}`, 'StrictModes no', 'UsePAM no'],
      ...[
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        '',
      ],
    ].join('\n'),
  )
  await writeFile(
    file('ssh_config'),
    [
      ...['Host edge', 'HostName 127.0.0.1', `Port ${port}`],
      ...['Host *', `IdentityFile ${file('user')}`, 'IdentitiesOnly yes'],
      ...[`UserKnownHostsFile ${file('known_hosts')}`, 'GlobalKnownHostsFile none', ''],
    ].join('\n'),
  )
  await mkdir(file('bin'))
  await writeFile(file('bin/ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${file('ssh_config')} "$@"\n`)
  await chmod(file('bin/ssh'), 0o755)
  await mkdir('/run/sshd', { recursive: true })
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], { stdio: 'ignore' })
  await until('sshd listens', () => listens(port))
  return {
    port,
    env: { PATH: `${file('bin')}:${process.env.PATH}` },
    knownHosts: file('known_hosts'),
    authorizedKeys: file('authorized_keys'),
    close: () => stop(sshd),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listens(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill()
  await once(child, 'exit')
}
