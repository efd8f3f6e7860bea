/** Answers made ahead for one stored response. */
export interface Baked {
  /** Bytes of memory they take beside the entry's body. */
  readonly extra: number;
}
