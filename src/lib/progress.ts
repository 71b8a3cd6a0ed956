/** What long work tells about itself. Data only: the command line decides how it looks. */
export type ProgressEvent =
  | {
      readonly type: 'start'
      readonly task: string
      readonly total?: number
      readonly unit?: 'bytes' | 'items'
    }
  | { readonly type: 'advance'; readonly task: string; readonly by: number }
  | { readonly type: 'finish'; readonly task: string; readonly detail?: string }
  | { readonly type: 'note'; readonly text: string }

export type Report = (event: ProgressEvent) => void

export const silent: Report = () => {}
