/**
 * The time of day, for lines that people read. `Date` is one. A `Clock` is not (its zero is some
 * moment of its own, and it would date every line 1970), which is what `sleep` is here to say.
 */
export interface Calendar {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  readonly sleep?: never;
}
