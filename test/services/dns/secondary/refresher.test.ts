import { describe, expect, test } from "bun:test";

import { NoAnswer } from "../../../../src/net/dns-client.ts";
import { digestOf, KeptZone, type Note } from "../../../../src/services/dns/secondary/kept-zone.ts";
import { type Asked, Refresher } from "../../../../src/services/dns/secondary/refresher.ts";
import { SecondaryZone } from "../../../../src/services/dns/secondary/secondary-zone.ts";
import { RecordPacker } from "../../../../src/services/dns/transfer/packed-records.ts";
import type { TcpAddress } from "../../../../src/services/dns/zone-config.ts";
import { FakeClock } from "../../../fake/clock.ts";
import { memoryLog } from "../../../fake/log.ts";
import { a, ns, ORIGIN, soa } from "./records.ts";

const TIMERS = { refresh: 100, retry: 20, expire: 300 };
const START = 1_700_000_000_000;
const SECOND = 1000;

function packed(serial: number): Uint8Array {
  const packer = new RecordPacker();
  for (const record of [soa(serial, TIMERS), ns(), a("www.example.net", serial)])
    packer.add(record);
  return packer.finish();
}

/** A primary without sockets. */
class Script implements Asked {
  readonly address: TcpAddress = { kind: "tcp", host: "192.0.2.1", port: 53 };
  /** Undefined: it is gone. */
  has: number | undefined = 1;
  /** Seconds of the clock at which it was asked. */
  readonly asked: number[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async serial(): Promise<number> {
    this.asked.push(Math.round(this.#clock.now() / SECOND));
    if (this.has === undefined) throw new NoAnswer("gone");
    return this.has;
  }
  async transfer() {
    if (this.has === undefined) throw new NoAnswer("gone");
    return { kind: "full" as const, packed: packed(this.has) };
  }
}

/** A disk that is as quick as a clock that is pushed. */
class Memory extends KeptZone {
  #note: Note | undefined;
  #records: Uint8Array | undefined;
  #changes = 0;

  override get stamp(): string {
    return String(this.#changes || "");
  }
  override get callStamp(): string {
    return "";
  }
  override async readNote(): Promise<Note | undefined> {
    return this.#note;
  }
  override async readRecords(digest: string): Promise<Uint8Array | undefined> {
    return digest === this.#note?.digest ? this.#records : undefined;
  }
  override async keep(records: Uint8Array, about: Note): Promise<void> {
    this.#records = records;
    await this.confirm(about);
  }
  override async confirm(about: Note): Promise<void> {
    this.#note = about;
    this.#changes++;
  }
}

/** One zone, one primary and a clock that stands still. */
async function scene() {
  const clock = new FakeClock();
  const wall = (): number => START + clock.now();
  const log = memoryLog();
  const kept = new Memory("/nowhere", "example.net");
  const parts = { name: "example.net", origin: ORIGIN, kept, clock, wall, log };
  const zone = await SecondaryZone.open(parts);
  const primary = new Script(clock);
  const counts: string[] = [];
  const refresher = new Refresher({
    zone,
    kept,
    primaries: [primary],
    clock,
    wall,
    dice: () => 0,
    log,
    count: (result) => void counts.push(result),
  });
  return {
    zone,
    primary,
    clock,
    kept,
    log,
    counts,
    wall,
    refresher,
    again: () => SecondaryZone.open(parts),
    /** Time goes on, a second at a time. */
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) await clock.advance(SECOND);
    },
    async [Symbol.asyncDispose]() {
      await zone.close();
      await refresher.close();
    },
  };
}

describe("the timers of the SOA", () => {
  test("it comes at once, and is looked at every `refresh`", async () => {
    await using all = await scene();
    all.zone.watch();
    all.refresher.begin();
    await all.pass(2);
    expect(all.zone.zone?.serial).toBe(1);
    await all.pass(248);
    expect(all.primary.asked).toEqual([100, 200]);
    expect(all.counts).toEqual(["full", "current", "current"]);
  });

  test("a primary that is gone is asked every `retry`; then the zone expires, and comes back", async () => {
    await using all = await scene();
    const changes: (number | undefined)[] = [];
    all.zone.subscribe(() => changes.push(all.zone.zone?.serial));
    all.zone.watch();
    all.refresher.begin();
    await all.pass(2);
    all.primary.has = undefined;
    await all.pass(178);
    expect(all.primary.asked).toEqual([100, 120, 140, 160, 180]);
    expect(all.zone.zone?.serial).toBe(1);
    expect(all.refresher.why).toBe("192.0.2.1:53: gone");
    expect(all.log.lines.filter((line) => line.startsWith("warn")).length).toBe(1);

    await all.pass(119);
    expect(all.zone.zone?.serial).toBe(1);
    await all.pass(3);
    expect(all.zone.expired).toBe(true);
    expect(all.zone.zone).toBeUndefined();
    expect(all.log.lines).toContain("error a zone has expired: no primary has confirmed it");

    // Whatever it has now is taken, an older serial too: ours is worth nothing.
    all.primary.has = 0;
    await all.pass(25);
    expect(all.zone.zone?.serial).toBe(0);
    expect(changes).toEqual([1, undefined, 0]);
  });

  test("a new serial is fetched; an older one is not", async () => {
    await using all = await scene();
    all.primary.has = 5;
    all.refresher.begin();
    await all.pass(2);
    all.primary.has = 4;
    await all.pass(100);
    expect(all.zone.zone?.serial).toBe(5);
    all.primary.has = 6;
    await all.pass(100);
    expect(all.zone.zone?.serial).toBe(6);
  });

  test("a swarm of calls is one question a second", async () => {
    await using all = await scene();
    all.refresher.begin();
    await all.pass(2);
    for (let i = 0; i < 50; i++) {
      all.zone.call();
      await all.clock.advance(100);
    }
    expect(all.primary.asked.length).toBeWithin(3, 8);
  });
});

describe("another process", () => {
  test("hands calls on, once a second, and the last one too", async () => {
    await using all = await scene();
    let handedOn = 0;
    all.kept.call = async () => void handedOn++;
    const other = await all.again();
    other.watch();
    for (let i = 0; i < 50; i++) other.call();
    expect(handedOn).toBe(1);
    await all.pass(1);
    expect(handedOn).toBe(2);
    await all.pass(5);
    expect(handedOn).toBe(2);
    await other.close();
  });

  test("sees what was kept, and goes on from its age", async () => {
    await using all = await scene();
    all.refresher.begin();
    await all.pass(2);
    all.primary.has = undefined;
    await all.pass(200);
    const other = await all.again();
    other.watch();
    expect(other.zone?.serial).toBe(1);
    await all.pass(90);
    expect(other.expired).toBe(false);
    await all.pass(12);
    expect(other.expired).toBe(true);
    await other.close();
  });

  test("finds a zone that expired while nobody ran: it is not served", async () => {
    await using all = await scene();
    const bytes = packed(1);
    const before = START - 301 * SECOND;
    await all.kept.keep(bytes, {
      checkedAt: before,
      takenAt: before,
      primary: "",
      digest: digestOf(bytes),
    });
    const other = await all.again();
    expect(other.held?.zone.serial).toBe(1);
    expect(other.zone).toBeUndefined();
    await other.close();
  });

  test("a clock that was set back does not make a zone live longer", async () => {
    await using all = await scene();
    const bytes = packed(1);
    const later = START + 1e9;
    await all.kept.keep(bytes, {
      checkedAt: later,
      takenAt: later,
      primary: "",
      digest: digestOf(bytes),
    });
    const other = await all.again();
    other.watch();
    await all.pass(302);
    expect(other.expired).toBe(true);
    await other.close();
  });

  test("what the disk did not take is kept the next time", async () => {
    await using all = await scene();
    const keep = all.kept.keep.bind(all.kept);
    all.kept.keep = () => Promise.reject(new Error("ENOSPC"));
    all.refresher.begin();
    await all.pass(2);
    expect(all.zone.zone?.serial).toBe(1);
    expect(all.log.lines).toContain("error refreshing a zone failed");
    all.kept.keep = keep;
    await all.pass(25);
    const other = await all.again();
    expect(other.zone?.serial).toBe(1);
    expect(all.refresher.why).toBeUndefined();
    await other.close();
  });
});
