import type { Engine } from '../../engine/engine.ts'
import { commandName } from '../../lib/command-name.ts'
import { SlipwayError } from '../../lib/errors.ts'
import type { Endpoint } from './client.ts'

/** The file that dnsmasq reads again at SIGHUP (dnsmasq(8), --servers-file). */
const serversFile = '/run/dnsmasq/servers'

/** Has the DNS cache ask `server` for names in `zone`, until `removeForward`. */
export async function addForward(
  engine: Engine,
  container: string,
  zone: string,
  server: Endpoint,
): Promise<void> {
  await editServers(engine, container, zone, [`server=/${zone}/${server.address}#${server.port}`])
}

export async function removeForward(engine: Engine, container: string, zone: string): Promise<void> {
  await editServers(engine, container, zone, [])
}

async function editServers(
  engine: Engine,
  container: string,
  zone: string,
  lines: readonly string[],
): Promise<void> {
  const read = await engine.containers.exec(container, ['cat', serversFile])
  const text = replaceServers(read.exitCode === 0 ? read.stdout : '', zone, lines)
  // In place, not by a new file: the folder may be root's while the file is the service's own.
  const script = `printf %s "$1" > ${serversFile}`
  const write = await engine.containers.exec(container, ['sh', '-c', script, 'sh', text])
  if (write.exitCode !== 0)
    throw new SlipwayError(
      'forward-refused',
      `The DNS cache’s ${serversFile} could not be written (${write.stderr.trim()}); see: ${commandName()} logs.`,
    )
  await engine.containers.kill(container, 'SIGHUP')
}

/** The servers file with the lines of `zone` replaced; those of other zones stay. */
export function replaceServers(text: string, zone: string, lines: readonly string[]): string {
  const others = text.split('\n').filter((line) => line !== '' && !line.startsWith(`server=/${zone}/`))
  return [...others, ...lines].map((line) => `${line}\n`).join('')
}
