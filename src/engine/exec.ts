import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import { commandName } from '../lib/command-name.ts'
import { SlipwayError } from '../lib/errors.ts'
import type { ExecOptions, ExecResult } from './containers-port.ts'
import { splitOutput } from './output.ts'

/** Runs a program in a running container and waits for its end. Throws `exec-timeout`. */
export async function execute(
  container: Docker.Container,
  command: readonly string[],
  { user, env, timeout, signal }: ExecOptions,
): Promise<ExecResult> {
  signal?.throwIfAborted()
  const exec = await container.exec({
    Cmd: [...command],
    AttachStdout: true,
    AttachStderr: true,
    ...(user !== undefined && { User: user }),
    ...(env && { Env: [...env] }),
  })
  const stream = await exec.start({ hijack: true, stdin: false })
  const { stdout, stderr } = splitOutput(await collect(stream, command[0] ?? '', timeout, signal))
  return { exitCode: (await exec.inspect()).ExitCode ?? -1, stdout, stderr }
}

async function collect(
  stream: Duplex,
  program: string,
  timeout: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const abort = (): void => void stream.destroy(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const late = (): void => {
    const message = `${program} had not ended after ${timeout! / 1000} s; \`${commandName()} status\` shows how its service fares.`
    stream.destroy(new SlipwayError('exec-timeout', message))
  }
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
  return Buffer.concat(chunks)
}
