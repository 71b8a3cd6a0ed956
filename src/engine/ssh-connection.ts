import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'

export interface SshConnection {
  /** Parameters of the program `ssh`. */
  readonly parameters: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Called once: when the far end's first bytes come, or when it ends without any. */
  readonly admitted: () => void
  /** The error for a program that failed, by what it said; undefined in `said`: it could not be run. */
  readonly failure: (said: string | undefined, cause?: unknown) => Error
}

/** What a program reads and writes, as a socket: bytes, and the words that Node's HTTP asks of one. */
export function openSshConnection({ parameters, env, admitted, failure }: SshConnection): Duplex {
  const child = spawn('ssh', parameters, { env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
  const { stdin, stdout, stderr } = child
  const connection = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk, encoding, done) => void stdin.write(chunk, encoding, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill()
      done(error)
    },
  })
  let isIn = false
  let said = ''
  const enter = (): void => {
    if (!isIn) admitted()
    isIn = true
  }
  stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-4000)
  })
  stdout.on('data', (chunk: Buffer) => {
    enter()
    if (!connection.push(chunk)) stdout.pause()
  })
  // What ssh says on its error output tells why writing failed.
  stdin.on('error', () => {})
  child.once('error', (cause) => {
    enter()
    connection.destroy(failure(undefined, cause))
  })
  child.once('close', (status) => {
    const refused = !isIn && status !== 0
    enter()
    if (refused) connection.destroy(failure(lastLine(said) || `ssh ended with ${status}`))
    else connection.push(null)
  })
  const all = [child, stdin, stdout, stderr] as unknown as { ref(): void; unref(): void }[]
  return Object.assign(connection, {
    setKeepAlive: () => {},
    setNoDelay: () => {},
    setTimeout: () => {},
    ref: () => {
      for (const one of all) one.ref()
    },
    unref: () => {
      for (const one of all) one.unref()
    },
  })
}

/** Of what ssh said, the last line tells why. */
function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return (lines.filter((line) => line !== '').at(-1) ?? '').replace(/\.$/, '')
}
