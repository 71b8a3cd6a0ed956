import type { LockedPackage } from '../lock/lockfile.ts'
import type { UnpackedPackage } from './unpack.ts'

/** A locked package, unpacked: what a layer is made from. */
export interface LayerPackage extends UnpackedPackage {
  readonly locked: LockedPackage
}
