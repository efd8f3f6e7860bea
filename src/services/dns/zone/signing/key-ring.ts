import { TYPE } from "../../../../wire/dns/types.ts";
import type { ZoneKey } from "./zone-key.ts";

/** Seconds that the DNSKEYs, and what the parent should have of them, may be kept by others. */
export const KEY_TTL = 3600;
/** Clocks, and servers that take their time. Milliseconds. */
const SLACK_MS = 5 * 60_000;

/** A key that is to take the place of the one in use. */
export interface NextKey {
  readonly key: ZoneKey;
  /** Since when it is published: milliseconds since 1970. */
  readonly since: number;
}

/**
 * The keys of a zone: one or, while one takes the place of the other, two. Both are then published,
 * told to the parent (CDS), and sign the keys; the records are signed by the new one as soon as
 * nobody can have keys without it (RFC 6781, 4.1.2, with one key for both roles).
 */
export class KeyRing {
  readonly current: ZoneKey;
  readonly next: NextKey | undefined;

  constructor(current: ZoneKey, next?: NextKey) {
    this.current = current;
    this.next = next;
  }

  /** Those that are published. */
  get all(): readonly ZoneKey[] {
    return this.next === undefined ? [this.current] : [this.current, this.next.key];
  }

  /** Text that is the same for the same keys. */
  get id(): string {
    return `${this.all.map((key) => key.dnskey.toHex()).join(" ")} ${this.next?.since}`;
  }

  /** Which keys sign a set of this type, at a time in milliseconds since 1970. */
  signing(type: number, now: number): readonly ZoneKey[] {
    const { current, next } = this;
    if (next === undefined) return [current];
    // What the parent knows us by, and what it is told, whichever of the two it has (RFC 7344, 4.1).
    if (type === TYPE.DNSKEY || type === TYPE.CDS || type === TYPE.CDNSKEY) return this.all;
    return [now >= signsFrom(next) ? next.key : current];
  }

  /**
   * From when on the old key is needed by nobody, if the parent has the new one: `ttl` is the longest
   * of the zone, in seconds. Undefined: there is no other key.
   */
  doneFrom(ttl: number): number | undefined {
    return this.next && signsFrom(this.next) + ttl * 1000 + SLACK_MS;
  }
}

function signsFrom({ since }: NextKey): number {
  return since + KEY_TTL * 1000 + SLACK_MS;
}
