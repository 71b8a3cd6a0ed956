import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

export interface DockerFolder {
  /** Registries, with what Docker knows of the user there. */
  readonly registries: readonly string[]
  readonly login: { readonly password: string } | { readonly identitytoken: string }
  /** PEM of the authority that their certificates are from. */
  readonly authority?: string
  /** Folder of the client's cert.pem and key.pem that are shown to them. */
  readonly client?: string
}

/** Writes a folder for DOCKER_CONFIG, as `docker login` by the user `partner` and an administrator leave it. */
export async function writeDockerFolder(folder: string, wanted: DockerFolder): Promise<void> {
  const { registries, login, authority, client } = wanted
  const known =
    'password' in login
      ? { auth: Buffer.from(`partner:${login.password}`).toString('base64') }
      : { identitytoken: login.identitytoken }
  const auths = Object.fromEntries(registries.map((registry) => [registry, known]))
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths }))
  for (const registry of registries) {
    const certificates = path.join(folder, 'certs.d', registry)
    await mkdir(certificates, { recursive: true })
    if (authority !== undefined) await writeFile(path.join(certificates, 'ca.crt'), authority)
    if (client === undefined) continue
    for (const part of ['cert', 'key'])
      await copyFile(path.join(client, `${part}.pem`), path.join(certificates, `client.${part}`))
  }
}
