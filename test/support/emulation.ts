import { chmod, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import type { DebianSource } from '../../src/debian/source.ts'
import { openPrivateApt } from './private-apt.ts'

const binfmt = '/proc/sys/fs/binfmt_misc'
const name = 'slipway-test-aarch64'
/** The first 20 bytes of a program of arm64, and which of their bits count (elf(5); qemu-binfmt-conf.sh). */
const magic = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00'
const mask =
  '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff'

/** Whether this host runs programs of arm64 by emulation already. */
export async function emulatesArm64(): Promise<boolean> {
  const registered = await readdir(binfmt).catch(() => [])
  return registered.some((one) => one.includes('aarch64'))
}

/**
 * Has the kernel hand programs of arm64 to Debian's QEMU, as hosts do that have qemu-user-static; root's. `folder` holds
 * the emulator. Returns what takes it back.
 */
export async function emulateArm64(folder: string, source: DebianSource): Promise<() => Promise<void>> {
  const apt = await openPrivateApt(path.join(folder, 'apt'), 'amd64', source)
  await apt.unpack('qemu-user', folder)
  const emulator = path.join(folder, 'usr', 'bin', 'qemu-aarch64')
  await chmod(emulator, 0o755)
  const mounted = (await readdir(binfmt)).includes('register')
  if (!mounted) await execa('mount', ['-t', 'binfmt_misc', 'binfmt_misc', binfmt])
  // F: opened once, here, so that it is found from within every container.
  await writeFile(path.join(binfmt, 'register'), `:${name}:M::${magic}:${mask}:${emulator}:F`)
  return async () => {
    await writeFile(path.join(binfmt, name), '-1')
    if (!mounted) await execa('umount', [binfmt])
  }
}
