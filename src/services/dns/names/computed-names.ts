import type { Clock } from "../../../core/clock.ts";
import { parseIp, showIp } from "../../../core/ip.ts";
import type { Target } from "../../../net/health/check.ts";
import type { Health, Watched } from "../../../net/health/health.ts";
import { hashName, lower, parseName, showName } from "../../../wire/dns/name.ts";
import type { Query } from "../../../wire/dns/query.ts";
import { RCODE, TYPE } from "../../../wire/dns/types.ts";
import { FLAG, type MessageWriter } from "../../../wire/dns/writer.ts";
import type { Places } from "../geo/places.ts";
import type { LrrrConfig } from "../lrrr/config.ts";
import { Lrrr } from "../lrrr/lrrr.ts";
import type { Tail } from "../tail.ts";
import type { Via } from "../via.ts";
import { type Lookup, systemLookup } from "./alias.ts";
import { followAliases } from "./aliases.ts";
import { Asker } from "./asker.ts";
import { ComputedName } from "./computed-name.ts";
import type { NamesConfig } from "./config.ts";
import type { ManualStates } from "./manual-states.ts";
import type { Manual, Member } from "./member.ts";
import { type NameStatus, statusOf } from "./name-status.ts";
import { NameTable } from "./name-table.ts";
import { addSoa, ownSoa, type Soa } from "./negative.ts";

/** What computed names are made with. */
export interface NamesParts {
  readonly health: Health;
  readonly states: ManualStates;
  /** Undefined without a database. */
  readonly places: Places | undefined;
  /** Undefined where there is no other side. */
  readonly lrrr: LrrrConfig | undefined;
  /** Believe what resolvers tell of their clients (RFC 7871). */
  readonly ecs: boolean;
  /** The seed of the queries that will be answered. */
  readonly seed: number;
  /** From 0 up to 1. */
  readonly dice: () => number;
  /** Its `now` is that of every `Via`. */
  readonly clock: Clock;
  /** How aliases are looked up; by the resolvers of this machine when absent. */
  readonly lookup?: Lookup;
  /** Which worker this is: rotations begin at different places. */
  readonly worker: number;
  /** The SOA of the zone here that a name is in; undefined when it is in none. */
  soaFor(name: Uint8Array): Soa | undefined;
}

/** Every computed name of one server. */
export class ComputedNames {
  /** Bits of the client's address that the last answer depended on: the ECS scope. */
  scope = 0;
  readonly #parts: NamesParts;
  readonly #names: readonly ComputedName[];
  readonly #table: NameTable<ComputedName>;
  /** Names that have a computed one below them. */
  readonly #above: NameTable<ComputedName>;
  readonly #asker = new Asker();
  readonly #lrrr: Lrrr<ComputedName> | undefined;
  readonly #end = new AbortController();
  #watched: Watched | undefined;
  /** Who is probed, in the order of the targets, and the name each is in. */
  #patients: readonly { readonly member: Member; readonly name: ComputedName }[] = [];

  private constructor(config: NamesConfig, parts: NamesParts) {
    this.#parts = parts;
    this.#table = new NameTable(parts.seed);
    this.#above = new NameTable(parts.seed);
    this.#names = Object.entries(config).map(([text, one]) => {
      const name = lower(parseName(text.replace(/\.?$/, ".")) as Uint8Array); // the schema has read it
      const soa = parts.soaFor(name) ?? ownSoa(name, one.ttl);
      return new ComputedName(name, one, soa, parts.dice, parts.worker);
    });
    this.#lrrr = parts.lrrr && new Lrrr(parts.lrrr, this.#names);
    for (const one of this.#names) {
      if (!this.#table.add(one.name, one)) throw new Error(`${showName(one.name)} is there twice`);
      if (one.needsPlaces && !parts.places)
        throw new Error(`${showName(one.name)} answers by place: that takes a database in geoip`);
      for (let at = (one.name[0] ?? 0) + 1; at < one.name.length; at += (one.name[at] ?? 0) + 1)
        this.#above.add(one.name.slice(at), one);
    }
  }

  /** Rejects when it cannot be; waits, for a while, until it is known who is alive. */
  static async prepare(config: NamesConfig, parts: NamesParts): Promise<ComputedNames> {
    const made = new ComputedNames(config, parts);
    const { clock, lookup = systemLookup() } = parts;
    const { signal } = made.#end;
    await Promise.all([made.#watch(), followAliases(made.#names, { lookup, clock, signal })]);
    made.applyStates();
    return made;
  }

  get size(): number {
    return this.#names.length;
  }

  /** The one of these names that a question is for. */
  find({ key, keyLength, hash }: Query): ComputedName | undefined {
    return this.#table.find(key, 0, keyLength, hash);
  }

  /** The answer to a question for `name`, when it is ready to be copied; else `answer` writes it. */
  ready(name: ComputedName, query: Query, via: Via): Tail | undefined {
    const asker = this.#asker;
    asker.read(query, via, this.#parts.ecs);
    const tail = name.ready(query.qtype, asker, this.#parts.places, via.now);
    this.scope = asker.told ? name.scope : 0;
    return tail;
  }

  /** Write the answer when the question is for one of these names (`name`); false when it is not. */
  answer(query: Query, via: Via, writer: MessageWriter, name = this.find(query)): boolean {
    if (name === undefined) return this.#range(query, via, writer);
    writer.flag(FLAG.AA);
    this.#say(name, query, via, writer, false);
    return true;
  }

  #say(name: ComputedName, query: Query, via: Via, writer: MessageWriter, aliased: boolean): void {
    const asker = this.#asker;
    const { ecs, places } = this.#parts;
    asker.read(query, via, ecs);
    const bits = name.answer(query.qtype, asker, places, writer, via.now, aliased);
    this.scope = asker.told ? bits : 0;
  }

  /** Names whose answers depend on how far the resolver is. */
  #range(query: Query, via: Via, writer: MessageWriter): boolean {
    if (this.#lrrr === undefined) return false;
    this.scope = 0;
    const ours = this.#lrrr.answer(query, via, writer, (destination) => {
      if (query.qtype !== TYPE.CNAME) this.#say(destination, query, via, writer, true);
    });
    if (ours) writer.flag(FLAG.AA);
    return ours;
  }

  /**
   * What to say, where no zone is, to questions around these names: there is nothing of its own at
   * a name that has one below (RFC 8020, 2), and nothing at all below one. False: not ours.
   */
  answerAround(query: Query, writer: MessageWriter): boolean {
    if (this.answerAbove(query, writer)) return true;
    for (let label = 1; label < query.labels; label++) {
      const from = query.labelStarts[label] as number;
      const hash = query.hashes[label] as number;
      const name = this.#table.find(query.key, from, query.keyLength, hash);
      if (name === undefined) continue;
      writer.flag(FLAG.AA);
      writer.rcode(RCODE.NXDOMAIN);
      addSoa(writer, ownSoa(name.name, name.config.ttl));
      return true;
    }
    if (!this.#lrrr?.around(query, writer)) return false;
    writer.flag(FLAG.AA);
    return true;
  }

  /** All types that the name asked for has now; none for a name that depends on who asks. */
  typesOf(query: Query): readonly number[] {
    const name = this.find(query);
    return name === undefined ? [] : name.shown.sets.map(({ type }) => type);
  }

  /**
   * Say that there is nothing of its own at a name that has one of these below: it is there, and
   * neither "no such name" nor a wildcard of a zone is right for it. False when it has none.
   */
  answerAbove({ key, keyLength, hash }: Query, writer: MessageWriter): boolean {
    this.scope = 0;
    const below = this.#above.find(key, 0, keyLength, hash);
    if (below === undefined) return false;
    const name = key.slice(0, keyLength);
    writer.flag(FLAG.AA);
    addSoa(writer, this.#parts.soaFor(name) ?? ownSoa(name, below.config.ttl));
    return true;
  }

  /** Whether `name`, in lower case, is one of these or has one below it: no zone knows what it is. */
  covers(name: Uint8Array): boolean {
    const hash = hashName(name, this.#parts.seed);
    const { length } = name;
    return (
      this.#table.find(name, 0, length, hash) !== undefined ||
      this.#above.find(name, 0, length, hash) !== undefined
    );
  }

  /** Whether `name`, in lower case, is one of these. */
  has(name: Uint8Array): boolean {
    return this.#names.some(
      (one) => one.name.length === name.length && Buffer.compare(one.name, name) === 0,
    );
  }

  /** For `tern dns status`: plain JSON. */
  status(): NameStatus[] {
    return this.#names.map(statusOf);
  }

  /**
   * An operator's word on a record, in one name or (undefined) wherever it is; `undefined` leaves
   * it to the probes again. How many records it was about. It outlives restarts.
   */
  async set(name: string | undefined, record: string, to: Manual | undefined): Promise<number> {
    const wanted = name === undefined ? undefined : canonical(name);
    const label = canonicalRecord(record);
    const found = this.#names
      .filter((one) => wanted === undefined || showName(one.name) === wanted)
      .flatMap((one) => one.members.filter(({ config }) => config.label === label));
    // Forgetting is allowed for what is not in the config any more.
    if (found.length === 0 && to !== undefined) return 0;
    await this.#parts.states.set(wanted, label, to);
    this.applyStates();
    return found.length;
  }

  /** Read the operators' states again. */
  applyStates(): void {
    for (const one of this.#names) {
      for (const member of one.members)
        member.manual = this.#parts.states.of(showName(one.name), member.config.label);
      one.refresh(this.#parts.clock.now());
    }
  }

  close(): void {
    this.#watched?.close();
    this.#end.abort();
  }

  async #watch(): Promise<void> {
    const targets: Target[] = [];
    const patients: { member: Member; name: ComputedName }[] = [];
    for (const name of this.#names) {
      const { check } = name.config;
      if (check === null) continue;
      for (const member of name.members) {
        const { host, port } = member.config;
        if (host === undefined) continue;
        targets.push({ host, port, check });
        patients.push({ member, name });
      }
    }
    if (targets.length === 0) return;
    this.#patients = patients;
    this.#watched = await this.#parts.health.watch(targets, () => this.#judge());
    this.#judge();
  }

  /** Only the names with news are decided anew. */
  #judge(): void {
    const verdicts = this.#watched?.verdicts ?? [];
    const now = this.#parts.clock.now();
    const news = new Set<ComputedName>();
    for (const [i, { member, name }] of this.#patients.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined || verdict === member.verdict) continue;
      if (member.judge(verdict, now)) news.add(name);
    }
    for (const name of news) name.refresh(now);
  }
}

/** As labels are written: addresses in their one form, names with the dot; texts as they are. */
function canonicalRecord(text: string): string {
  const ip = parseIp(text);
  if (ip) return showIp(ip);
  return /^[\w-]+(\.[\w-]+)+$/.test(text) ? `${text}.` : text;
}

function canonical(name: string): string {
  const wire = parseName(name.replace(/\.?$/, "."));
  return wire ? showName(lower(wire)) : name;
}
