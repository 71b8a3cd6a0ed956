/** Runs one call; its errors come out as SlipwayErrors. */
export type Call = <T>(call: () => Promise<T>) => Promise<T>
