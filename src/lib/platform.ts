/** An OCI platform, `os/architecture` (OCI image-spec, image-index.md). */
export type Platform = 'linux/amd64' | 'linux/arm64'

export const platforms: readonly Platform[] = ['linux/amd64', 'linux/arm64']

/** OCI's names for these two architectures (GOARCH) are Debian's too. */
export function debianArchitecture(platform: Platform): string {
  return platform.slice('linux/'.length)
}
