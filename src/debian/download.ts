import * as lib from '../lib/download.ts'

export type { DownloadOptions } from '../lib/download.ts'

/** A file whose size and SHA-256 the signed index, or the lock, has told. */
export type SignedFile = Omit<lib.KnownFile, 'wording'>

const wording: lib.DownloadWording = {
  authority: 'the signed index',
  advice: 'try again later, or set another mirror (debian.mirror in appliance.yaml, or SLIPWAY_MIRROR)',
}

/** `downloadFile` of lib, for a file of an archive. */
export function downloadFile(
  file: SignedFile,
  target: string,
  options: lib.DownloadOptions = {},
): Promise<void> {
  return lib.downloadFile({ ...file, wording }, target, options)
}

/** `downloadBytes` of lib, for a file of an archive. */
export function downloadBytes(
  file: { readonly url: string; readonly name: string; readonly limit: number },
  options: lib.DownloadOptions = {},
): Promise<Buffer> {
  return lib.downloadBytes({ ...file, wording }, options)
}
