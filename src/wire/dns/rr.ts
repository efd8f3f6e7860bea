/** A resource record as it is stored: nothing compressed, nothing interpreted. */
export interface Rr {
  /** Wire form: labels as written, the root's empty label at the end. */
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  /** Wire form; names inside are whole. */
  readonly rdata: Uint8Array;
}
