import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'

export interface TlsFiles {
  /** Of a server at 127.0.0.1, also called registry.example, and of the authority that its clients come from. PEM. */
  readonly server: { readonly 'ca.pem': string; readonly 'cert.pem': string; readonly 'key.pem': string }
  /** Folders for DOCKER_CERT_PATH: a client that the server knows, and one of another authority. */
  readonly client: string
  readonly stranger: string
}

/** Makes two authorities, a server and a client of the first, and a client of the second, with openssl. */
export async function makeTlsFiles(folder: string): Promise<TlsFiles> {
  const server = path.join(folder, 'server')
  const client = path.join(folder, 'client')
  const stranger = path.join(folder, 'stranger')
  const authority = await makeAuthority(path.join(folder, 'authority'))
  const other = await makeAuthority(path.join(folder, 'other'))
  await issue(
    authority,
    server,
    'extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,DNS:registry.example\n',
  )
  await issue(authority, client, 'extendedKeyUsage=clientAuth\n')
  await issue(other, stranger, 'extendedKeyUsage=clientAuth\n')
  const read = (name: string): Promise<string> => readFile(path.join(server, name), 'utf8')
  return {
    server: {
      'ca.pem': await read('ca.pem'),
      'cert.pem': await read('cert.pem'),
      'key.pem': await read('key.pem'),
    },
    client,
    stranger,
  }
}

const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

async function makeAuthority(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const name = `/CN=${path.basename(folder)}`
  await execa(
    'openssl',
    ['req', '-x509', ...elliptic, '-keyout', 'key.pem', '-out', 'ca.pem', '-subj', name, '-days', '2'],
    { cwd: folder },
  )
  return folder
}

/** Writes ca.pem, cert.pem and key.pem, as Docker names them, into `folder`. */
async function issue(authority: string, folder: string, extensions: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const openssl = (...parameters: string[]) => execa('openssl', parameters, { cwd: folder })
  await writeFile(path.join(folder, 'extensions'), extensions)
  const name = `/CN=${path.basename(folder)}`
  await openssl('req', ...elliptic, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', name)
  await openssl(
    ...['x509', '-req', '-in', 'request.pem', '-out', 'cert.pem', '-days', '2', '-extfile', 'extensions'],
    ...['-CA', path.join(authority, 'ca.pem'), '-CAkey', path.join(authority, 'key.pem'), '-CAcreateserial'],
  )
  await writeFile(path.join(folder, 'ca.pem'), await readFile(path.join(authority, 'ca.pem')))
}
