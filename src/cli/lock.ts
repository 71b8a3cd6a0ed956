import type { Context } from './context.ts'

export async function run(context: Context): Promise<undefined> {
  context.print('lock')
}
