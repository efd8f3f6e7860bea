import { sameName } from "../../../wire/dns/name.ts";
import { RCODE, TYPE } from "../../../wire/dns/types.ts";
import { FLAG, type MessageWriter, QNAME, SECTION } from "../../../wire/dns/writer.ts";
import { Atlas } from "../geo/atlas.ts";
import type { Places } from "../geo/places.ts";
import type { Tail } from "../tail.ts";
import type { Asker } from "./asker.ts";
import type { NameConfig, TierConfig } from "./config.ts";
import type { MemberConfig } from "./member-word.ts";
import { Member } from "./member.ts";
import { addSoa, type Soa } from "./negative.ts";
import { type Chooser, chooser, hashBytes, type Turn } from "./order.ts";
import { show, type Shown, type Tier } from "./tiers.ts";

const CLASS_IN = 1;
/** A site's resolvers get the same answer where it depends on who asks. Bits. */
const SITE = { 4: 24, 16: 56 } as const;
/** More than a name may have. */
const picks = new Uint16Array(4096);

/** What is answered to clients of some places. */
interface Variant {
  readonly tiers: readonly Tier[];
  /** Rotations by type. */
  readonly turns: Map<number, Turn>;
  shown: Shown;
  choosers: readonly Chooser[];
}

/** One name: its records, who of them is alive, and whose turn it is. */
export class ComputedName {
  /** Bits of the client's address that the last answer depended on. */
  scope = 0;
  /** In lower case. */
  readonly name: Uint8Array;
  readonly config: NameConfig;
  /** Every record once, in the order of the config. */
  readonly members: readonly Member[];
  readonly #atlas: Atlas;
  readonly #variants: readonly Variant[];
  readonly #dice: () => number;
  readonly #soa: Soa;
  /** Whether the SOA is of no zone but of this name. */
  readonly #own: boolean;
  readonly #hash: number;
  /** Seconds. */
  readonly #aliasTtls = new Map<Member, number>();
  /** When the TTL of flapping ends; 0: it is not in force. Monotonic. */
  #calmAt = 0;

  constructor(
    name: Uint8Array,
    config: NameConfig,
    soa: Soa,
    dice: () => number,
    firstTurn: number,
  ) {
    this.name = name;
    this.config = config;
    this.#soa = soa;
    this.#own = sameName(soa.owner, name);
    this.#dice = dice;
    this.#hash = hashBytes(name, 0);
    this.#atlas = new Atlas(config.geo.map(({ keys }) => keys));
    const members: Member[] = [];
    const tiersOf = (tiers: readonly TierConfig[]): Tier[] =>
      tiers.map((tier) => ({
        ttl: tier.ttl ?? config.ttl,
        members: tier.members.map((one) => {
          const made = new Member(one);
          members.push(made);
          return made;
        }),
      }));
    const own = tiersOf(config.tiers);
    const all = [own, ...config.geo.map(({ tiers }) => [...tiersOf(tiers), ...own])];
    this.#variants = all.map((tiers) => ({
      tiers,
      turns: new Map([TYPE.A, TYPE.AAAA].map((type) => [type, { next: firstTurn }])),
      shown: { outcome: "nodata", tier: -1, sets: [] },
      choosers: [],
    }));
    this.members = members;
    this.refresh(0);
  }

  /** Where names stand for their addresses: the records of a member, and how long they are good. */
  follow(member: Member, records: readonly MemberConfig[], ttl: number): void {
    member.standFor(records);
    this.#aliasTtls.set(member, ttl);
  }

  /** Seconds. */
  get ttl(): number {
    return this.config.ttl;
  }

  get needsPlaces(): boolean {
    return this.#atlas.needsPlaces;
  }

  /** Health or an operator has changed something: decide anew what is shown. */
  refresh(now: number): void {
    this.#calmAt = 0;
    for (const variant of this.#variants) {
      variant.shown = show(variant.tiers, this.config.all_down);
      variant.choosers = variant.shown.sets.map((set) => {
        const wanted = set.type === TYPE.CNAME ? 1 : this.config.answers;
        const turn = turnOf(variant.turns, set.type);
        const good = Math.min(set.ttl, ...this.#aliasTtls.values());
        const ttl = this.#ttlNow(variant.tiers, good, now);
        return chooser(
          this.config.order,
          { ...set, ttl },
          wanted === "all" ? Infinity : wanted,
          turn,
          this.#dice,
        );
      });
    }
  }

  /** The variant for everybody. */
  get shown(): Shown {
    return (this.#variants[0] as Variant).shown;
  }

  /**
   * Write what is said to a question for this very name. Gives the bits of the client's address
   * that the answer depends on: the scope of RFC 7871, where the client was told. `aliased`: an alias
   * that leads here is in the answer already.
   */
  answer(
    type: number,
    asker: Asker,
    places: Places | undefined,
    writer: MessageWriter,
    now: number,
    aliased = false,
  ): number {
    const variant = this.#variantFor(asker, places, now);
    const { outcome } = variant.shown;
    if (outcome === "servfail") writer.rcode(RCODE.SERVFAIL);
    else if (outcome === "nxdomain") {
      writer.rcode(RCODE.NXDOMAIN);
      addSoa(writer, this.#soa);
    } else {
      const found = choosing(variant.choosers, type);
      if (found === undefined) this.#nothing(type, writer);
      else {
        const count = this.#choose(found, asker);
        write(found, count, aliased ? this.name : undefined, writer);
      }
    }
    return this.scope;
  }

  /** The same ready to be copied; undefined: it is to be written. Leaves the scope in `scope`. */
  ready(type: number, asker: Asker, places: Places | undefined, now: number): Tail | undefined {
    const variant = this.#variantFor(asker, places, now);
    if (variant.shown.outcome !== "records") return undefined;
    const found = choosing(variant.choosers, type);
    return found?.ready?.tail(picks, this.#choose(found, asker));
  }

  /** What its clients' place makes of it. */
  #variantFor(asker: Asker, places: Places | undefined, now: number): Variant {
    if (this.#calmAt !== 0 && now >= this.#calmAt) this.refresh(now);
    this.#atlas.find(asker.bytes, asker.length, places);
    this.scope = this.#atlas.bits;
    return this.#variants[this.#atlas.variant] as Variant;
  }

  /** Put those to be given into `picks`; how many. */
  #choose(found: Chooser, asker: Asker): number {
    let client = 0;
    if (this.config.order === "hash") {
      const bits = Math.min(SITE[asker.length], asker.bits);
      client = hashBytes(asker.bytes, this.#hash, bits);
      this.scope = Math.max(this.scope, bits);
    }
    return found.choose(picks, client);
  }

  #nothing(type: number, writer: MessageWriter): void {
    const { owner, ttl, rdata } = this.#soa;
    if (type === TYPE.SOA && this.#own)
      writer.add(SECTION.ANSWER, owner, TYPE.SOA, CLASS_IN, ttl, rdata);
    else addSoa(writer, this.#soa);
  }

  /** Lower while members come and go, so that clients follow. */
  #ttlNow(tiers: readonly Tier[], ttl: number, now: number): number {
    const { flapping_ttl: flapping } = this.config;
    if (flapping === null || flapping >= ttl) return ttl;
    const until = Math.max(
      ...tiers.flatMap(({ members }) => members.map((one) => one.flappingUntil)),
    );
    if (until <= now) return ttl;
    this.#calmAt = Math.max(this.#calmAt, until);
    return flapping;
  }
}

/** The records for a type; a CNAME is for every type, and any set will do for ANY (RFC 8482, 4.1). */
function choosing(choosers: readonly Chooser[], type: number): Chooser | undefined {
  for (let i = 0; i < choosers.length; i++) {
    const one = choosers[i] as Chooser;
    if (one.set.type === type || one.set.type === TYPE.CNAME || type === TYPE.ANY) return one;
  }
  return undefined;
}

/** All of them or, when there is no room, none and the advice to ask by TCP (RFC 2181, 9). */
function write(
  { set }: Chooser,
  count: number,
  owner: Uint8Array | undefined,
  writer: MessageWriter,
): void {
  const { members, type, ttl } = set;
  writer.mark();
  for (let i = 0; i < count; i++) {
    const { rdata } = (members[picks[i] as number] as Member).config;
    const added = owner
      ? writer.add(SECTION.ANSWER, owner, type, CLASS_IN, ttl, rdata)
      : writer.addAt(SECTION.ANSWER, QNAME, type, CLASS_IN, ttl, rdata);
    if (added) continue;
    writer.rewind();
    writer.flag(FLAG.TC);
    return;
  }
}

function turnOf(turns: Map<number, Turn>, type: number): Turn {
  const turn = turns.get(type) ?? { next: 0 };
  turns.set(type, turn);
  return turn;
}
