import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'

/** The first bytes of every PNG (ISO/IEC 15948, 5.2). */
const png = '89504e470d0a1a0a'

/** Why a file is not the picture that its name says, in words that follow it; undefined where it is. */
export async function logoFault(file: string): Promise<string | undefined> {
  const bytes = await readFile(file)
  if (file.endsWith('.png'))
    return bytes.toString('hex', 0, png.length / 2) === png ? undefined : 'is no PNG picture'
  return isUtf8(bytes) && /<svg[\s/>]/.test(bytes.toString('utf8')) ? undefined : 'is no SVG picture'
}
