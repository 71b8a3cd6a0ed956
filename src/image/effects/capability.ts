import { SlipwayError } from '../../lib/errors.ts'

/** Linux capabilities by number (linux/capability.h). */
const names = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
]

/**
 * The security.capability attribute for "cap_net_raw=ep": struct vfs_cap_data of revision 2, little-endian
 * (capabilities(7), "File capability extended attribute versioning"). Throws `unknown-capability`.
 */
export function encodeCapabilities(text: string): Uint8Array {
  const match = /^(cap_[a-z_]+(?:,cap_[a-z_]+)*)[+=]([eip]+)$/.exec(text)
  if (!match) throw unknown(text)
  const flags = match[2]!
  let low = 0
  let high = 0
  for (const name of match[1]!.split(',')) {
    const bit = names.indexOf(name.slice('cap_'.length))
    if (bit < 0) throw unknown(name)
    if (bit < 32) low |= 1 << bit
    else high |= 1 << (bit - 32)
  }
  const data = new DataView(new ArrayBuffer(20))
  data.setUint32(0, 0x0200_0000 | (flags.includes('e') ? 1 : 0), true)
  if (flags.includes('p')) {
    data.setUint32(4, low >>> 0, true)
    data.setUint32(12, high >>> 0, true)
  }
  if (flags.includes('i')) {
    data.setUint32(8, low >>> 0, true)
    data.setUint32(16, high >>> 0, true)
  }
  return new Uint8Array(data.buffer)
}

function unknown(text: string): SlipwayError {
  return new SlipwayError(
    'unknown-capability',
    `"${text}" is no Linux capability that Slipway knows; write it as in "cap_net_raw=ep".`,
  )
}
