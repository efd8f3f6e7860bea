/** Bytes and a view of the same bytes: packets are read, cut and joined in it without a copy more than needed. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}
