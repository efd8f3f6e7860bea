import { MAX_NAME } from "../../../wire/dns/name.ts";
import { RCODE, TYPE } from "../../../wire/dns/types.ts";
import { Additional } from "./additional.ts";
import { NamePath } from "./name-path.ts";
import { APEX, NONE, WILDCARD } from "./name-tree.ts";
import { AS_ASKED, KIND, Outcome } from "./outcome.ts";
import { compactDenial } from "./signing/compact-denial.ts";
import { BESIDE_CNAME } from "./zone-checks.ts";
import { FLAG, type Zone } from "./zone.ts";

/**
 * Aliases followed in one answer. Chains of more are an accident; BIND 9.18 restarts 16 times and
 * resolvers give up sooner.
 */
const MOST_ALIASES = 16;

/** What one step came to: `name` is settled, or it became another one to go on with. */
const DONE = 0;
const GO_ON = 1;
type Step = typeof DONE | typeof GO_ON;

/**
 * The answer of one zone to one question: RFC 1034, 4.3.2 with wildcards (RFC 4592), DNAME (RFC
 * 6672), negative answers (RFC 2308) and, for signed zones, RFC 4035, 3.1 and RFC 5155, 7.2. One
 * for each thread; what `resolve` gives is good until it is called again.
 */
export class Resolver {
  readonly #out = new Outcome();
  /** The name that is looked for now, and as what it is kept. */
  readonly #name = new NamePath();
  #owner = AS_ASKED;
  readonly #target = new NamePath();
  readonly #additional = new Additional();
  #type = 0;
  #dnssec = false;
  #compact = false;
  readonly #elsewhere: ((name: Uint8Array) => boolean) | undefined;

  /** `elsewhere` tells names in zones that others answer for: those that are computed. */
  constructor(elsewhere?: (name: Uint8Array) => boolean) {
    this.#elsewhere = elsewhere;
  }

  /**
   * `key` is the lower-case name, at or below the zone's; `dnssec` and `compact` are what the bits
   * DO and CO ask for.
   */
  resolve(zone: Zone, key: Uint8Array, type: number, dnssec: boolean, compact: boolean): Outcome {
    const out = this.#out;
    out.reset();
    this.#type = type;
    this.#dnssec = dnssec && zone.denial !== undefined;
    this.#compact = compact;
    this.#name.read(key, 0);

    out.keep(this.#name);
    this.#owner = AS_ASKED;
    for (let aliases = 0; this.#step(zone) === GO_ON && aliases < MOST_ALIASES; aliases++)
      if (!this.#name.isUnder(zone.origin, zone.store.names.depth) || this.#isElsewhere()) break;
    this.#additional.add(zone, out, this.#dnssec);
    return out;
  }

  /** An alias is followed to where the zone knows what is there, and no further. */
  #isElsewhere(): boolean {
    const { bytes, length } = this.#name;
    return this.#elsewhere !== undefined && this.#elsewhere(bytes.subarray(0, length));
  }

  /** Walk down from the apex as far as there are names. */
  #step(zone: Zone): Step {
    const { names } = zone.store;
    const name = this.#name;
    let node = APEX;
    let left = name.count - names.depth;
    while (left > 0) {
      const flags = zone.flags(node);
      if (flags & FLAG.CUT) return this.#refer(zone, node);
      if (flags & FLAG.DNAME) return this.#redirect(zone, node, left);
      const child = names.child(node, name.bytes, name.startOf(left - 1));
      if (child === NONE) break;
      node = child;
      left--;
    }
    if (left > 0) return this.#missing(zone, node, left);

    if (this.#owner === AS_ASKED) this.#out.exact = true;
    if (zone.flags(node) & FLAG.CUT && this.#type !== TYPE.DS) return this.#refer(zone, node);
    const step = this.#answer(zone, node);
    if (step !== NONE) return step;
    this.#deny(zone);
    if (this.#dnssec) zone.denial?.noData(name, node, this.#owner, this.#out.authority);
    return DONE;
  }

  /** The name is not there; `closest` is, `left` labels above. */
  #missing(zone: Zone, closest: number, left: number): Step {
    const { authority } = this.#out;
    const denial = this.#dnssec ? zone.denial : undefined;
    if ((zone.flags(closest) & FLAG.WILDCARD) === 0) {
      if (this.#asksCompact(zone)) return this.#proof(NONE);
      this.#deny(zone);
      // RFC 9824: the name is said to be there, unless the client takes both (5.1).
      if (denial !== compactDenial || this.#compact) this.#out.rcode = RCODE.NXDOMAIN;
      denial?.noName(this.#name, this.#owner, closest, left, authority);
      return DONE;
    }
    const wildcard = zone.store.names.child(closest, WILDCARD, 0);
    denial?.expanded(this.#name, closest, left, authority);
    const step = this.#answer(zone, wildcard);
    if (step !== NONE) return step;
    // The name is given up only now: what it became when an alias was followed has its own proof.
    this.#deny(zone);
    denial?.expandedNoData(this.#name, this.#owner, closest, left, wildcard, authority);
    return DONE;
  }

  /** What `node` has of the type asked for; NONE when it has nothing. */
  #answer(zone: Zone, node: number): Step | typeof NONE {
    const { store } = zone;
    const { answer } = this.#out;
    if (this.#type === TYPE.ANY) {
      // One set is enough (RFC 8482, 4.1).
      if (store.isEmpty(node)) return NONE;
      answer.push(KIND.SET, store.firstSet(node), this.#owner);
      return DONE;
    }
    if (this.#type === TYPE.RRSIG) return this.#signatures(zone, node);
    if (this.#asksCompact(zone)) return this.#proof(node);
    const set = store.find(node, this.#type);
    if (set !== NONE) {
      answer.push(KIND.SET, set, this.#owner);
      return DONE;
    }
    if ((zone.flags(node) & FLAG.CNAME) === 0 || BESIDE_CNAME.has(this.#type)) return NONE;
    const alias = store.find(node, TYPE.CNAME);
    answer.push(KIND.SET, alias, this.#owner);
    this.#name.read(store.rdata, store.rdataAt(store.records(alias)));
    if (this.#out.knows(this.#name)) return DONE; // around in a circle
    this.#owner = this.#out.keep(this.#name);
    return GO_ON;
  }

  /** Whether the NSEC itself is asked for that RFC 9824 makes: it is there as soon as it is. */
  #asksCompact(zone: Zone): boolean {
    return this.#type === TYPE.NSEC && this.#dnssec && zone.signer !== undefined;
  }

  #proof(node: number): Step {
    this.#out.answer.push(KIND.COMPACT, node, this.#owner);
    return DONE;
  }

  #signatures(zone: Zone, node: number): Step | typeof NONE {
    const { store } = zone;
    const { answer } = this.#out;
    if (zone.signer && !store.isEmpty(node)) {
      answer.push(KIND.SIGNATURES, store.firstSet(node), this.#owner); // each costs: one is enough
      return DONE;
    }
    const before = answer.length;
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++)
      if (store.signatures(set) > 0) answer.push(KIND.SIGNATURES, set, this.#owner);
    return answer.length > before ? DONE : NONE;
  }

  /** The zone ends at `cut`: who knows more, and whether that is signed (RFC 4035, 3.1.4). */
  #refer(zone: Zone, cut: number): Step {
    const { store } = zone;
    const { answer, authority } = this.#out;
    if (answer.length === 0) this.#out.authoritative = false;
    authority.push(KIND.BARE, store.find(cut, TYPE.NS), cut);
    if (!this.#dnssec) return DONE;
    const ds = store.find(cut, TYPE.DS);
    if (ds !== NONE) authority.push(KIND.SET, ds, cut);
    else {
      this.#target.readNode(store.names, cut);
      zone.denial?.noData(this.#target, cut, cut, authority);
    }
    return DONE;
  }

  /** A DNAME at `node` puts its target in place of its own name (RFC 6672, 2.2). */
  #redirect(zone: Zone, node: number, left: number): Step {
    const { store } = zone;
    const { answer } = this.#out;
    const set = store.find(node, TYPE.DNAME);
    answer.once(KIND.SET, set, node);
    this.#target.read(store.rdata, store.rdataAt(store.records(set)));
    const kept = this.#name.startOf(left);
    if (kept + this.#target.length > MAX_NAME) {
      this.#out.rcode = RCODE.YXDOMAIN; // RFC 6672, 3.2
      return DONE;
    }
    this.#name.replaceEnd(left, this.#target);
    const known = this.#out.knows(this.#name);
    const target = this.#out.keep(this.#name);
    answer.push(KIND.SYNTHESIZED, set, this.#owner, target);
    this.#owner = target;
    return known || this.#type === TYPE.CNAME ? DONE : GO_ON;
  }

  #deny(zone: Zone): void {
    this.#out.authority.push(KIND.NEGATIVE, zone.soa, APEX);
  }
}
