/** Takes back what a step did. */
export interface Undo {
  (): Promise<void>
  /** Gives up what was kept for that, once nobody can need it any more; does not throw. */
  readonly forget?: () => Promise<void>
}
