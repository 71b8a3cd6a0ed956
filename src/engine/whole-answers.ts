import type { IncomingMessage } from 'node:http'
import type Docker from 'dockerode'

/** What of the transport is asked here: its type says less than it does. */
interface Transport {
  dial(options: Dialled, done: (error: unknown, answer?: unknown) => void): void
}

interface Dialled {
  readonly isStream?: boolean
  readonly hijack?: boolean
  readonly openStdin?: boolean
}

/**
 * A client whose answers are read to their end here. Its transport waits for ever for the rest of one whose connection
 * is cut in the middle, so that a program ends without a word; takes JSON's `null` for no JSON; and dies of a log that
 * is longer than a text can be.
 */
export function withWholeAnswers(docker: Docker): Docker {
  const transport = docker.modem as unknown as Transport
  const dial = transport.dial.bind(transport)
  transport.dial = (options, done) => {
    if (options.isStream || options.hijack || options.openStdin) return dial(options, done)
    dial({ ...options, isStream: true }, (error, answer) => {
      if (error) done(error)
      else readWhole(answer as IncomingMessage).then((value) => done(null, value), done)
    })
  }
  return docker
}

/** What JSON says; the bytes of anything else, such as a log. Throws where the connection is cut before the end. */
async function readWhole(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  if (!/^application\/json\b/.test(answer.headers['content-type'] ?? '') || bytes.length === 0) return bytes
  return JSON.parse(bytes.toString('utf8'))
}
