/**
 * Everything of an answer behind the question, ready to be copied: its compression points only
 * into itself and to the question, which begins where it always does. Used again and again.
 */
export class Tail {
  /** The tail is `bytes` from `from` on, `length` of them. */
  bytes: Uint8Array = new Uint8Array();
  from = 0;
  length = 0;
  rcode = 0;
  authoritative = false;
  /** Records of each section. */
  answers = 0;
  authorities = 0;
  additionals = 0;
  /** What must be sent: a prefix. When there is no room for it, TC and nothing (RFC 2181, 9). */
  requiredLength = 0;
  /** Records of the additional section that belong to it. */
  requiredAdditionals = 0;

  /** Copy the first `length` bytes into `into` at `at`; where they end. */
  copy(into: Uint8Array, at: number, length: number): number {
    const { bytes, from } = this;
    // Short runs are cheaper by hand than a view is made.
    if (length > BY_HAND) into.set(bytes.subarray(from, from + length), at);
    else for (let i = 0; i < length; i++) into[at + i] = bytes[from + i] as number;
    return at + length;
  }
}

/** Bytes. */
const BY_HAND = 256;
