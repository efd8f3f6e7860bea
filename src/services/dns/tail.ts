import { Copier } from "../../sys/copier.ts";

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
    copier.copy(this.bytes, this.from, into, at, length);
    return at + length;
  }
}

const copier = new Copier();
