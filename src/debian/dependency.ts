/** Version relations (Debian Policy 7.1). */
export type Relation = '<<' | '<=' | '=' | '>=' | '>>'

/** One package name with its restrictions: `name:arch (>= 1.0)`. */
export interface Dependency {
  readonly name: string
  /** `any`, `native` or an architecture after the colon; absent mostly. */
  readonly architecture?: string
  readonly relation?: Relation
  readonly version?: string
}

/** `a | b`: one clause of a relationship field. */
export type Alternatives = readonly Dependency[]

/** A name that a package provides, with a version where the field gives one (`name (= 1.0)`). */
export interface Provided {
  readonly name: string
  readonly version?: string
}
