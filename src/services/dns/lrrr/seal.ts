import { createHmac, timingSafeEqual } from "node:crypto";

import { emitLeg, type Leg, parseLeg, TAG_LENGTH } from "./leg.ts";

/** 80 bits: a forger gets one guess per packet. */
const MAC_LENGTH = 16;
const BASE32 = "0123456789abcdefghijklmnopqrstuv"; // RFC 4648, 7, in lower case

/** Signs legs: nobody without the secret can say how far a resolver is. */
export class Seal {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The first label of a measuring name below `host`, without its prefix. */
  close(leg: Leg, host: Uint8Array): string {
    const text = emitLeg(leg);
    return `${text}-${this.#mac(text, host)}`;
  }

  /** What a label says, if it was made here or on the other side, for `host`. */
  open(label: string, host: Uint8Array): Leg | undefined {
    const cut = label.lastIndexOf("-");
    const text = label.slice(0, Math.max(cut, 0));
    const mac = Buffer.from(label.slice(cut + 1), "latin1");
    if (mac.length !== MAC_LENGTH) return undefined;
    const leg = parseLeg(text); // first: it is cheaper than a signature
    if (leg === undefined || !timingSafeEqual(mac, Buffer.from(this.#mac(text, host))))
      return undefined;
    return leg;
  }

  /** A short word for a network that only the two sides can make. */
  tag(network: Uint8Array): string {
    const digest = createHmac("sha256", this.#secret).update("network\0").update(network).digest();
    return base32(digest, TAG_LENGTH);
  }

  #mac(text: string, host: Uint8Array): string {
    // Base-36 text holds no NUL, so that no two pairs are one.
    const digest = createHmac("sha256", this.#secret)
      .update(`leg\0${text}\0`)
      .update(host)
      .digest();
    return base32(digest, MAC_LENGTH);
  }
}

/** So many characters of five bits each. */
function base32(bytes: Uint8Array, length: number): string {
  let text = "";
  let bits = 0;
  let have = 0;
  let at = 0;
  while (text.length < length) {
    if (have < 5) {
      bits = ((bits << 8) | (bytes[at++] as number)) & 0xffff;
      have += 8;
    }
    have -= 5;
    text += BASE32[(bits >>> have) & 31];
  }
  return text;
}
