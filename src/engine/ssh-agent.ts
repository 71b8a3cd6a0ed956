import { Agent } from 'node:http'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import type { Endpoint } from './endpoint.ts'
import { openSshConnection } from './ssh-connection.ts'

/** A server refuses strangers when more than ten are at its door at once (sshd_config(5), MaxStartups). */
const mostAtTheDoor = 4

/**
 * HTTP connections to the Engine of an ssh:// address, as the Docker CLI makes them: each is this machine's own `ssh`,
 * so that its configuration, keys and known hosts count, running `docker system dial-stdio` over there. It never asks:
 * what would need an answer fails with `engine-ssh` and what `ssh` said.
 */
export function sshAgent(endpoint: Endpoint, env: NodeJS.ProcessEnv): Agent {
  const waiting: (() => void)[] = []
  let atTheDoor = 0
  const admitted = (): void => {
    atTheDoor--
    waiting.shift()?.()
  }
  const parameters = [
    ...['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30'],
    ...[...userAndPort(endpoint), '--', endpoint.host ?? ''],
    ...['docker', 'system', 'dial-stdio'],
  ]
  const failure = (said: string | undefined, cause?: unknown): SlipwayError =>
    describeFailure(endpoint, said ?? 'the program ssh cannot be run (install an OpenSSH client)', cause)
  const agent = new Agent({ keepAlive: true })
  agent.createConnection = (_options, ready) => {
    const enter = (): void => {
      atTheDoor++
      ready?.(null, openSshConnection({ parameters, env, admitted, failure }))
    }
    if (atTheDoor < mostAtTheDoor) enter()
    else waiting.push(enter)
    return undefined
  }
  return agent
}

function userAndPort({ user, port }: Endpoint): string[] {
  return [...(user ? ['-l', user] : []), ...(port ? ['-p', String(port)] : [])]
}

function describeFailure(endpoint: Endpoint, said: string, cause: unknown): SlipwayError {
  const { address, source, host } = endpoint
  const typed = ['ssh', ...userAndPort(endpoint), host, 'docker version'].join(' ')
  return new SlipwayError(
    'engine-ssh',
    `No Docker Engine can be reached by ssh at ${address} (from ${source}): ${said}; \`${typed}\` must work without a question, then run the same command again.`,
    { cause, exitCode: exitCodes.preflightFailed },
  )
}
