/** The left-right range resolve: resolvers are sent back and forth until it is known who is nearer. */
import { isUnder, lower, nameKey, parseName } from "../../../wire/dns/name.ts";
import type { Query } from "../../../wire/dns/query.ts";
import { RCODE, TYPE } from "../../../wire/dns/types.ts";
import { type MessageWriter, QNAME, SECTION } from "../../../wire/dns/writer.ts";
import { addSoa, ownSoa } from "../names/negative.ts";
import type { Via } from "../via.ts";
import type { LrrrConfig } from "./config.ts";
import { type Mark, TAG_LENGTH } from "./leg.ts";
import { networkOf, Pairs } from "./pairs.ts";
import { Seal } from "./seal.ts";
import { type Step, step } from "./step.ts";

const CLASS_IN = 1;
const MAX_LABEL = 63;
/** Seconds that a measuring name may be old, and the two sides' clocks apart. */
const FRESH_S = 300;
/** A measuring name is for one resolver, once. */
const NO_TTL = 0;
/** Of the SOAs here. */
const NEGATIVE_TTL = 60;

/** A name below our own side: what public names lead to. */
export interface Destination {
  /** In lower case. */
  readonly name: Uint8Array;
  /** Seconds. */
  readonly ttl: number;
}

/** Says what is asked for of a destination, behind the CNAME that leads to it. */
export type Follow<D> = (destination: D) => void;

/** One side of a pair. */
export class Lrrr<D extends Destination> {
  readonly #own: Uint8Array;
  readonly #other: Uint8Array;
  readonly #public: Uint8Array;
  readonly #left: boolean;
  readonly #prefix: string;
  readonly #seal: Seal;
  readonly #pairs: Pairs;
  /** By what stands in front of the suffix, behind it the root. */
  readonly #hosts = new Map<string, D>();
  #tag = { of: "", is: "-".repeat(TAG_LENGTH) };

  /** Every destination below our own side makes a public name: `ga.l` is what `ga.i` leads to. */
  constructor(config: LrrrConfig, destinations: readonly D[]) {
    const { left, right, suffix, side, prefix, secret, ttl } = config;
    this.#left = side === "left";
    this.#own = wire(this.#left ? left : right);
    this.#other = wire(this.#left ? right : left);
    this.#public = wire(suffix);
    this.#prefix = `${prefix}-`;
    this.#seal = new Seal(secret.reveal());
    this.#pairs = new Pairs(ttl);
    for (const one of destinations)
      if (isUnder(one.name, this.#own) && one.name.length > this.#own.length)
        this.#hosts.set(nameKey(hostOf(one.name, this.#own)), one);
  }

  /** Networks of resolvers that something is known of. */
  get networks(): number {
    return this.#pairs.size;
  }

  /**
   * Answer a public name, or a measuring one of our side; false when it is neither. `follow` may
   * add what the destination says to the same answer.
   */
  answer(query: Query, via: Via, writer: MessageWriter, follow: Follow<D>): boolean {
    const name = query.key.subarray(0, query.keyLength);
    if (isBelow(name, this.#public)) {
      const host = hostOf(name, this.#public);
      const found = this.#find(host);
      if (found === undefined) return false;
      const known = this.#pairs.get(networkOf(via.client), via.now);
      this.#go(
        step({ marks: undefined, count: 0, known, wall: via.wall }),
        0,
        host,
        found,
        via,
        writer,
        follow,
      );
      return true;
    }
    if (!isBelow(name, this.#own)) return false;
    const length = name[0] as number;
    const label = Buffer.from(name.buffer, name.byteOffset + 1, length).toString("latin1");
    if (!label.startsWith(this.#prefix)) return false;
    const host = hostOf(name.subarray(length + 1), this.#own);
    const found = this.#find(host);
    if (found === undefined) return false;
    this.#measured(label.slice(this.#prefix.length), host, found, via, writer, follow);
    return true;
  }

  /** Above public and measuring names there is nothing, and nothing else below where they are. */
  around(query: Query, writer: MessageWriter): boolean {
    const name = query.key.slice(0, query.keyLength);
    for (const apex of [this.#public, this.#own]) {
      if (!isUnder(name, apex) && !isUnder(apex, name)) continue;
      const soa = ownSoa(isUnder(name, apex) ? apex : name, NEGATIVE_TTL);
      const itself = name.length === apex.length;
      if (isBelow(name, apex)) writer.rcode(RCODE.NXDOMAIN);
      if (itself && query.qtype === TYPE.SOA)
        writer.add(SECTION.ANSWER, soa.owner, TYPE.SOA, CLASS_IN, soa.ttl, soa.rdata);
      else addSoa(writer, soa);
      return true;
    }
    return false;
  }

  #measured(
    label: string,
    host: Uint8Array,
    found: D,
    via: Via,
    writer: MessageWriter,
    follow: Follow<D>,
  ): void {
    const leg = this.#seal.open(label, host);
    const stale = leg !== undefined && Math.abs(via.wall / 1000 - leg.issued) > FRESH_S;
    // Forged, from another time, or of another secret: whoever asks gets an answer, and is not believed.
    if (leg === undefined || stale) return this.#arrive("own", host, found, writer, follow);
    const network = networkOf(via.client);
    const known = this.#pairs.get(network, via.now);
    const [own, other] = this.#left ? [leg.left, leg.right] : [leg.right, leg.left];
    const next = step({ marks: { own, other }, count: leg.count, known, wall: via.wall });
    // A farm may ask each leg from another network: good for this answer, but not to be remembered.
    if (leg.tag === this.#tagOf(network)) this.#pairs.learn(network, next.learnt, via.now);
    this.#go(next, leg.count, host, found, via, writer, follow);
  }

  #go(
    { to }: Step,
    count: number,
    host: Uint8Array,
    found: D,
    via: Via,
    writer: MessageWriter,
    follow: Follow<D>,
  ): void {
    if (to.kind === "arrive") return this.#arrive(to.side, host, found, writer, follow);
    const marks: Record<"left" | "right", Mark> = this.#left
      ? { left: to.own, right: to.other }
      : { left: to.other, right: to.own };
    const leg = {
      ...marks,
      count: count + 1,
      issued: Math.floor(via.wall / 1000),
      tag: this.#tagOf(networkOf(via.client)),
    };
    const label = Buffer.from(this.#prefix + this.#seal.close(leg, host), "latin1");
    const name = join(label, host, to.side === "own" ? this.#own : this.#other);
    // What is too long for a name cannot be measured.
    if (label.length > MAX_LABEL || name.length > 255)
      return this.#arrive("own", host, found, writer, follow);
    writer.addAt(SECTION.ANSWER, QNAME, TYPE.CNAME, CLASS_IN, NO_TTL, name);
  }

  #arrive(
    side: "own" | "other",
    host: Uint8Array,
    found: D,
    writer: MessageWriter,
    follow: Follow<D>,
  ): void {
    const name = side === "own" ? found.name : join(new Uint8Array(), host, this.#other);
    const added = writer.addAt(SECTION.ANSWER, QNAME, TYPE.CNAME, CLASS_IN, found.ttl, name);
    if (added && side === "own") follow(found);
  }

  #find(host: Uint8Array): D | undefined {
    return this.#hosts.get(nameKey(host));
  }

  /** A resolver comes several times in a row: the last tag is kept. */
  #tagOf(network: Uint8Array): string {
    const of = network.toHex();
    if (this.#tag.of !== of) this.#tag = { of, is: this.#seal.tag(network) };
    return this.#tag.is;
  }
}

function wire(text: string): Uint8Array {
  return lower(parseName(text.replace(/\.?$/, ".")) as Uint8Array); // the schema has read it
}

function isBelow(name: Uint8Array, suffix: Uint8Array): boolean {
  return name.length > suffix.length && isUnder(name, suffix);
}

/** What stands in front of `suffix`, as a name of its own. */
function hostOf(name: Uint8Array, suffix: Uint8Array): Uint8Array {
  const host = new Uint8Array(name.length - suffix.length + 1);
  host.set(name.subarray(0, host.length - 1));
  return host;
}

/** `label` (none when empty), `host` without its root, `suffix`. */
function join(label: Uint8Array, host: Uint8Array, suffix: Uint8Array): Uint8Array {
  const front = label.length === 0 ? [] : [label.length, ...label];
  return Uint8Array.from([...front, ...host.subarray(0, -1), ...suffix]);
}
