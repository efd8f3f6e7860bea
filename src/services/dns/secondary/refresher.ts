import { showAddress } from "../../../core/address.ts";
import type { Clock } from "../../../core/clock.ts";
import { NoAnswer } from "../../../net/dns-client.ts";
import type { Log } from "../../../observe/log.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import { CLASS, TYPE } from "../../../wire/dns/types.ts";
import type { Zone } from "../zone/zone.ts";
import { buildPacked } from "./build-packed.ts";
import { applyDifference } from "./difference.ts";
import { digestOf, type KeptZone, type Note } from "./kept-zone.ts";
import type { Primary } from "./primary.ts";
import { refreshPause, retryPause } from "./schedule.ts";
import type { Held, SecondaryZone } from "./secondary-zone.ts";
import { isNewer } from "./soa.ts";

/** Notifications come in swarms: the primaries are not asked more often. Milliseconds. */
const LEAST_GAP_MS = 1000;
/** After a start, zones that are kept are looked at within this. Milliseconds. */
const SPREAD_MS = 2000;

/** What is asked of a primary. */
export type Asked = Pick<Primary, "address" | "serial" | "transfer">;

/** How asking a primary went. */
export type Refreshed = "current" | "full" | "difference";

export interface RefresherParts {
  readonly zone: SecondaryZone;
  readonly kept: KeptZone;
  readonly primaries: readonly Asked[];
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** From 0 to 1. */
  readonly dice: () => number;
  readonly log: Log;
  /** Told of every end of a refresh. */
  readonly count: (result: Refreshed | "failed") => void;
}

/** Keeps a zone like its primaries': asks for their serial when it is time, or when one calls. */
export class Refresher {
  readonly #parts: RefresherParts;
  readonly #closed = new AbortController();
  #wake = new AbortController();
  #begun = false;
  #failures = 0;
  #why: string | undefined;
  /** The records that are served and that the disk did not take. */
  #unkept: Uint8Array | undefined;
  #keeping: Promise<void> = Promise.resolve();

  constructor(parts: RefresherParts) {
    this.#parts = parts;
  }

  /** Why the last refresh failed; undefined when it did not. */
  get why(): string | undefined {
    return this.#why;
  }

  /** From now on, until it is closed. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#parts.zone.onCall(() => this.#wake.abort());
    void this.#run();
  }

  /** End it; resolves when what it serves is kept. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#keeping.catch(() => {}); // whoever keeps it says so
  }

  async #run(): Promise<void> {
    const { zone, clock, dice, log, count } = this.#parts;
    const { signal } = this.#closed;
    const pause = (ms: number, until: AbortSignal): Promise<void> =>
      clock.sleep(ms, until).catch(() => {}); // called or closed: seen below
    let ms = zone.held === undefined ? 0 : dice() * SPREAD_MS;
    while (!signal.aborted) {
      await pause(ms, AbortSignal.any([signal, this.#wake.signal]));
      if (signal.aborted) return;
      this.#wake = new AbortController();
      await this.#refresh().catch((error: unknown) => {
        this.#failed("it could not be kept");
        log.error("refreshing a zone failed", { zone: zone.name, error });
        count("failed");
      });
      const { soa } = zone;
      ms =
        this.#failures === 0 && soa !== undefined
          ? refreshPause(soa, dice())
          : retryPause(soa, Math.max(1, this.#failures), dice());
      await pause(LEAST_GAP_MS, signal);
      ms = Math.max(0, ms - LEAST_GAP_MS);
    }
  }

  /** Ask the primaries, one after the other, until one has something newer. */
  async #refresh(): Promise<void> {
    const { zone, primaries, kept, wall, log, count } = this.#parts;
    const { signal } = this.#closed;
    const reasons: string[] = [];
    let confirmedBy: string | undefined;
    for (const primary of primaries) {
      const address = showAddress(primary.address);
      try {
        const result = await this.#ask(primary);
        if (result !== "current") return count(result);
        confirmedBy ??= address;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (signal.aborted) return;
        reasons.push(`${address}: ${error.message}`);
      }
    }
    const { held } = zone;
    if (confirmedBy === undefined || held === undefined) {
      const why = reasons.join("; ");
      if (why !== this.#why)
        log.warn("a zone's primaries do not give it", { zone: zone.name, why });
      this.#failed(why);
      return count("failed");
    }
    const note = { ...held.note, checkedAt: wall() };
    zone.confirm(note);
    this.#good();
    count("current");
    if (this.#unkept === undefined) await kept.confirm(note);
    else await this.#keep(this.#unkept, note);
  }

  async #ask(primary: Asked): Promise<Refreshed> {
    const { zone, log } = this.#parts;
    const held = zone.expired ? undefined : zone.held; // what nobody answers for binds nobody
    if (held !== undefined) {
      const serial = await primary.serial();
      if (!isNewer(serial, held.zone.serial)) return "current";
      try {
        return await this.#difference(primary, held);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        // RFC 1995, 4: whatever is wrong with a difference, there is the whole zone.
        log.debug("no difference of a zone", { zone: zone.name, why: error.message });
      }
    }
    const outcome = await primary.transfer(undefined, this.#closed.signal);
    if (outcome.kind !== "full") throw new NoAnswer("it gives something else than the zone");
    return this.#take(outcome.packed, "full", primary, held);
  }

  /** What has changed since the version we hold. */
  async #difference(primary: Asked, held: Held): Promise<Refreshed> {
    const outcome = await primary.transfer(soaRecord(held.zone), this.#closed.signal);
    switch (outcome.kind) {
      case "current":
        return "current";
      case "full":
        return this.#take(outcome.packed, "full", primary, held);
      case "steps": {
        const before = await this.#parts.kept.readRecords(held.note.digest);
        const packed = before && applyDifference(before, outcome.steps);
        if (packed === undefined) throw new NoAnswer("the difference does not fit");
        return this.#take(packed, "difference", primary, held);
      }
    }
  }

  /** Serve and keep a version that has come whole. Throws NoAnswer when it is no zone to be served. */
  async #take(
    packed: Uint8Array,
    how: "full" | "difference",
    { address }: Asked,
    before: Held | undefined,
  ): Promise<Refreshed> {
    const { zone, wall, log } = this.#parts;
    const primary = showAddress(address);
    const built = await buildPacked(zone.origin, packed, zone.name);
    if (!built.ok) throw new NoAnswer(`the zone is broken: ${built.problems[0]?.message ?? ""}`);
    const { serial } = built.zone;
    if (before !== undefined && !isNewer(serial, before.zone.serial))
      throw new NoAnswer(`it gives serial ${serial}, which is not newer`);
    if (this.#closed.signal.aborted) throw new NoAnswer("the zone is no longer wanted");
    const now = wall();
    const note = { checkedAt: now, digest: digestOf(packed), primary, takenAt: now };
    await zone.adopt({
      zone: built.zone,
      note,
      warnings: built.warnings.map(({ message }) => message),
    });
    this.#good();
    log.info("a zone has come", { zone: zone.name, serial, primary, how, bytes: packed.length });
    await this.#keep(packed, note);
    return how;
  }

  async #keep(packed: Uint8Array, note: Note): Promise<void> {
    this.#unkept = packed;
    await (this.#keeping = this.#parts.kept.keep(packed, note));
    this.#unkept = undefined;
  }

  #good(): void {
    this.#failures = 0;
    this.#why = undefined;
  }

  #failed(why: string): void {
    this.#failures++;
    this.#why = why;
  }
}

function soaRecord({ store, soa, origin }: Zone): Rr {
  const rdata = store.firstRdata(soa);
  return { name: origin, type: TYPE.SOA, class: CLASS.IN, ttl: store.ttl(soa), rdata };
}
