import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeScratch } from '../../support/scratch.ts'

/** The start script on a folder of its own, with a Squid that notes what it is asked and how many files it may open. */
async function startable(change = (text: string): string => text) {
  const { path: folder, remove } = await makeScratch('optimiser')
  onTestFinished(remove)
  const spool = path.join(folder, 'spool')
  await mkdir(spool)
  const squid = `#!/bin/sh
case "$*" in
  *-z*) mkdir -p $(for a in 0 1 2 3 4 5 6 7 8 9 A B C D E F; do for b in 0 1 2 3 4 5 6 7 8 9 A B C D E F; do
    for c in 0 1 2 3 4 5 6 7 8 9 A B C D E F; do echo "${spool}/0$a/$b$c"; done; done; done); echo prepared >> ${folder}/asked ;;
  *) echo "started with $(ulimit -n) files" >> ${folder}/asked ;;
esac
`
  const settings = path.join(folder, 'settings')
  const source = await readFile('images/optimiser/rootfs/usr/lib/appliance/optimiser-start', 'utf8')
  const script = change(source)
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/var/spool/squid', spool)
    .replaceAll('/run/squid', folder)
    .replaceAll('/usr/lib/appliance/optimiser-settings', settings)
  for (const [name, text] of Object.entries({ squid, settings: '#!/bin/sh\n', script })) {
    await writeFile(path.join(folder, name), text)
    await chmod(path.join(folder, name), 0o755)
  }
  const start = async (before: string): Promise<string[]> => {
    await rm(path.join(folder, 'asked'), { force: true })
    await execa('sh', ['-c', `${before}\nexec ${folder}/script`], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    })
    return (await readFile(path.join(folder, 'asked'), 'utf8')).trim().split('\n')
  }
  return { folder, spool, start }
}

describe.skipIf(process.platform === 'win32')('the optimiser', () => {
  it('opens as many files as it may, and no more than it has tables for', async () => {
    const limits = 'ulimit -S -n 256; ulimit -H -n 4000'
    expect((await (await startable()).start(limits)).at(-1)).toBe('started with 4000 files')
    const { start } = await startable((text) => text.replaceAll('65536', '3000'))
    expect((await start(limits)).at(-1)).toBe('started with 3000 files')
  })

  it('starts on a full disk too, without the cache there', async () => {
    const { folder, start } = await startable()
    const settings = path.join(folder, 'settings.conf')
    await writeFile(settings, 'cache_mem 8 MB\ncache_dir aufs /var/spool/squid 64 16 256\n')
    // No file may be larger than this many blocks: what a disk without room says too.
    expect(await start('trap "" XFSZ; ulimit -f 100')).toHaveLength(1)
    expect(await readFile(settings, 'utf8')).toBe('cache_mem 8 MB\n')
  })

  it('prepares its cache once, and again when a directory of it is lost', async () => {
    const { spool, start } = await startable()
    const asked = async () => (await start(':')).map((line) => line.split(' ')[0])
    expect([await asked(), await asked()]).toEqual([['prepared', 'started'], ['started']])
    await rm(path.join(spool, '03'), { recursive: true })
    expect(await asked()).toEqual(['prepared', 'started'])
  })
})
