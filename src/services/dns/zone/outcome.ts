import { MAX_NAME } from "../../../wire/dns/name.ts";
import { RCODE } from "../../../wire/dns/types.ts";
import type { NamePath } from "./name-path.ts";

/** How an entry is written. */
export const KIND = {
  /** The set, and its signatures when DNSSEC is wanted. */
  SET: 0,
  /** The set alone: what is below or at a cut is not ours to sign (RFC 4035, 2.2). */
  BARE: 1,
  /** Only the signatures of the set: RRSIG was asked for. */
  SIGNATURES: 2,
  /** The SOA with the TTL of an answer that says no (RFC 2308, 3), with signatures. */
  NEGATIVE: 3,
  /** A set of the hashed names (NSEC3), with signatures. */
  HASHED: 4,
  /** The CNAME that a DNAME stands for here (RFC 6672, 3.1); `set` is the DNAME's. */
  SYNTHESIZED: 5,
  /** An NSEC made for this answer (RFC 9824); `set` is the node that has its types, none: no such name. */
  COMPACT: 6,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** The owner is the name as it was asked. Otherwise 0 and above is a node, below is `Outcome.keep`'s. */
export const AS_ASKED = -1;

/** The sets of one section, in order. Nothing is allocated once its arrays have grown. */
export class Entries {
  length = 0;
  readonly kinds: Kind[] = [];
  readonly sets: number[] = [];
  readonly owners: number[] = [];
  /** Of a synthesized CNAME, what it leads to; as an owner. */
  readonly targets: number[] = [];

  push(kind: Kind, set: number, owner: number, target = 0): void {
    this.kinds[this.length] = kind;
    this.targets[this.length] = target;
    this.sets[this.length] = set;
    this.owners[this.length++] = owner;
  }

  /** As `push`, unless it is there: one NSEC often proves two things. */
  once(kind: Kind, set: number, owner: number): void {
    if (!this.has(kind, set)) this.push(kind, set, owner);
  }

  has(kind: Kind, set: number): boolean {
    for (let i = 0; i < this.length; i++)
      if (this.sets[i] === set && this.kinds[i] === kind) return true;
    return false;
  }
}

/** What a zone says to a question, as sets of its store: decided here, written elsewhere. */
export class Outcome {
  rcode: number = RCODE.NOERROR;
  authoritative = true;
  /** Whether the name itself is in the zone, so that there are only so many such answers. */
  exact = false;
  readonly answer = new Entries();
  readonly authority = new Entries();
  /** Addresses a referral is no use without (RFC 9471). */
  readonly glue = new Entries();
  /** What may be left out. */
  readonly additional = new Entries();
  /** Names that are no node: ends of aliases, and what DNAMEs make of names. */
  names = new Uint8Array(4 * MAX_NAME);
  #namesEnd = 0;

  reset(): void {
    this.rcode = RCODE.NOERROR;
    this.authoritative = true;
    this.exact = false;
    this.answer.length = this.authority.length = this.glue.length = this.additional.length = 0;
    this.#namesEnd = 0;
  }

  /** Keep a copy of a name; what is given back stands for it as an owner. */
  keep(name: NamePath): number {
    const at = this.#namesEnd;
    this.#namesEnd += name.length;
    if (this.#namesEnd > this.names.length) {
      const grown = new Uint8Array(this.#namesEnd + this.names.length);
      grown.set(this.names);
      this.names = grown;
    }
    for (let i = 0; i < name.length; i++) this.names[at + i] = name.bytes[i] as number;
    return AS_ASKED - 1 - at;
  }

  /** Whether this very name was kept before. */
  knows(name: NamePath): boolean {
    for (let at = 0; at < this.#namesEnd;) {
      let i = 0;
      while (i < name.length && name.bytes[i] === this.names[at + i]) i++;
      if (i === name.length) return true;
      at = this.keptEnd(at);
    }
    return false;
  }

  /** Where in `names` the name is that `keep` gave `owner` for. */
  keptAt(owner: number): number {
    return AS_ASKED - 1 - owner;
  }

  /** Where the kept name that begins at `at` ends. */
  keptEnd(at: number): number {
    while (this.names[at] !== 0) at += (this.names[at] as number) + 1;
    return at + 1;
  }
}
