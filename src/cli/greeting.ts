import type { ImageSource } from '../image/image-source.ts'

/** Whose appliance an image is, as its labels say: a line to begin an install with, and where to ask for help. */
export function greeting({ labels }: Pick<ImageSource, 'labels'>): { title?: string; help?: string } {
  const said = (key: string): string | undefined => labels[`org.opencontainers.image.${key}`]
  const [title, version, vendor, help] = ['title', 'version', 'vendor', 'authors'].map(said)
  return {
    ...(title && { title: `${title}${version ? ` ${version}` : ''}${vendor ? `, by ${vendor}` : ''}` }),
    ...(help && { help: `Help: ${help}` }),
  }
}
