import { afterEach, describe, expect, test } from "bun:test";

import fc from "fast-check";

import { reactor } from "../../src/net/reactor-loop.ts";
import type { Reactor } from "../../src/net/reactor.ts";
import { TurnWriter } from "../../src/net/turn-writer.ts";
import { AGAIN } from "../../src/sys/socket.ts";
import { RawListener, RawPeer } from "../fake/raw-peer.ts";

const KB = 1024;
const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

/** A turn that begins and ends when the test says so. */
class Turn {
  #ends = new Set<() => void>();
  #telling = false;
  readonly reactor = {
    atEnd: (run: () => void): boolean => {
      if (this.#telling) this.#ends.add(run);
      return this.#telling;
    },
  } as Partial<Reactor> as Reactor;

  begin(): void {
    this.#telling = true;
  }
  end(): void {
    this.#telling = false;
    for (const run of this.#ends) run();
    this.#ends.clear();
  }
}

/** A writer, and who reads what it writes. */
async function pair(turn: Turn): Promise<{ writer: TurnWriter; peer: RawPeer; stuck: number[] }> {
  using listener = new RawListener();
  const peer = await RawPeer.to(listener.port);
  const ours = await listener.accept();
  ends.push(peer, ours);
  const stuck: number[] = [];
  const writer = new TurnWriter(turn.reactor, ours.fd, { stuck: () => stuck.push(1) });
  return { writer, peer, stuck };
}

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);
const write = (writer: TurnWriter, of: Uint8Array, more = false): number =>
  writer.write(of, 0, of.length, more);

describe("what is written", () => {
  test("between turns leaves at once", async () => {
    const { writer, peer } = await pair(new Turn());
    expect(write(writer, bytes(10, 1))).toBe(10);
    expect(await peer.read(10)).toEqual(bytes(10, 1));
  });

  test("within a turn leaves at its end, and was copied", async () => {
    const turn = new Turn();
    const { writer, peer } = await pair(turn);
    const said = bytes(10, 1);
    turn.begin();
    expect(write(writer, said)).toBe(10);
    said.fill(0);
    expect(peer.look()).toBeUndefined();
    turn.end();
    expect(await peer.read(10)).toEqual(bytes(10, 1));
  });

  test.each([
    { story: "a long one", long: bytes(100 * KB, 2), more: false },
    { story: "one with more to follow", long: bytes(5, 2), more: true },
  ])("$story does not overtake what is held", async ({ long, more }) => {
    const turn = new Turn();
    const { writer, peer } = await pair(turn);
    turn.begin();
    write(writer, bytes(10, 1));
    expect(write(writer, long, more)).toBe(long.length);
    write(writer, bytes(10, 3));
    turn.end();
    const all = Buffer.concat([bytes(10, 1), long, bytes(10, 3)]);
    expect(Buffer.from(await peer.read(all.length)).equals(all)).toBe(true);
  });

  test("is not sent by whoever has closed the socket since", async () => {
    const turn = new Turn();
    const one = await pair(turn);
    const other = await pair(turn);
    turn.begin();
    write(one.writer, bytes(10, 1));
    write(other.writer, bytes(10, 2));
    one.writer.drop();
    turn.end();
    expect(await other.peer.read(10)).toEqual(bytes(10, 2));
    expect(one.peer.look()).toBeUndefined();
  });

  test("waits where the socket has no room, and what comes later behind it", async () => {
    const turn = new Turn();
    const { writer, peer, stuck } = await pair(turn);
    const block = bytes(64 * KB, 7);
    let before = 0;
    for (let n = 0; n !== AGAIN; n = write(writer, block)) before += n;

    turn.begin();
    expect(write(writer, bytes(1000, 1))).toBe(1000);
    expect(write(writer, bytes(1000, 2))).toBe(1000);
    turn.end();
    expect([stuck.length, writer.waits, writer.push()]).toEqual([1, true, false]);
    turn.begin();
    expect(write(writer, bytes(5, 3))).toBe(AGAIN);
    turn.end();

    await peer.read(before);
    expect([writer.push(), writer.waits]).toEqual([true, false]);
    expect(write(writer, bytes(5, 3))).toBe(5);
    const all = Buffer.concat([bytes(1000, 1), bytes(1000, 2), bytes(5, 3)]);
    expect(Buffer.from(await peer.read(all.length)).equals(all)).toBe(true);
  });

  test("a real turn ends, too", async () => {
    using listener = new RawListener();
    const peer = await RawPeer.to(listener.port);
    const ours = await listener.accept();
    ends.push(peer, ours);
    const loop = reactor();
    const writer = new TurnWriter(loop, ours.fd, { stuck() {} });
    const told: (string | undefined)[] = [];
    loop.add(ours.fd, 1, () => {
      ours.look();
      write(writer, bytes(10, 1));
      told.push(peer.look() === undefined ? "held" : "sent");
    });
    peer.push(bytes(1, 0));
    expect(await peer.read(10)).toEqual(bytes(10, 1));
    loop.remove(ours.fd);
    expect(told).toEqual(["held"]);
  });
});

test("whatever is written in whatever turns, each peer gets its own in order", async () => {
  const turn = new Turn();
  const pairs = [await pair(turn), await pair(turn), await pair(turn)];
  const step = fc.record({
    to: fc.nat(2),
    length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(8 * KB, 8 * KB + 1)),
    next: fc.constantFrom("begin", "end", "nothing", "nothing", "push"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const said: Uint8Array[][] = [[], [], []];
      for (const [i, { to, length, next }] of steps.entries()) {
        const one = bytes(length, i);
        said[to]?.push(one);
        expect(write(pairs[to]!.writer, one)).toBe(length); // `to` is one of three
        if (next === "push") pairs[to]!.writer.push();
        else if (next !== "nothing") turn[next]();
      }
      turn.end();
      for (const [i, { peer }] of pairs.entries()) {
        const all = Buffer.concat(said[i] ?? []);
        expect(Buffer.from(await peer.read(all.length)).equals(all)).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});
