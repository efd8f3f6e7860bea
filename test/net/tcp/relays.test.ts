import { afterEach, describe, expect, test } from "bun:test";

import fc from "fast-check";

import { reactor } from "../../../src/net/reactor-loop.ts";
import { Dialer } from "../../../src/net/tcp/dialer.ts";
import type { RelayEnd, RelayRules } from "../../../src/net/tcp/relay-terms.ts";
import { Relays } from "../../../src/net/tcp/relays.ts";
import { sockmap } from "../../../src/net/tcp/sockmap.ts";
import { destination } from "../../../src/sys/dial.ts";
import { until } from "../../e2e/from-source.ts";
import { RawListener, RawPeer } from "../../fake/raw-peer.ts";

const FOREVER = { way: "auto", idle: Infinity, deadline: Infinity } as const;
const MB = 1024 * 1024;
const KERNEL = typeof sockmap() !== "string";
/** Where the kernel has no such maps, or we may not have them, "sockmap" is "auto" once more. */
const WAYS = [{ way: "auto" }, { way: "splice" }, { way: "copy" }, { way: "sockmap" }] as const;

const relays = new Relays(reactor());
const dialer = new Dialer(reactor());
const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

/** A client and a server, and a relay between them. */
class Pair {
  up = 0;
  down = 0;
  end: RelayEnd | undefined;
  fd = -1;
  server = new RawPeer(-1);
  constructor(readonly client: RawPeer) {
    ends.push(client);
  }
  moved(up: number, down: number): void {
    this.up += up;
    this.down += down;
  }
  over(why: RelayEnd): void {
    this.end = why;
  }
}

async function pair(rules: Partial<RelayRules> = {}): Promise<Pair> {
  using front = new RawListener();
  using back = new RawListener();
  const client = await RawPeer.to(front.port);
  const { fd } = await front.accept();
  const accepted = back.accept();
  const to = destination("127.0.0.1", back.port);
  return await new Promise((resolve, unreachable) => {
    const connected = (server: number, _: number, events: number): void => {
      const made = new Pair(client);
      made.fd = fd;
      relays.join(fd, server, made, { ...FOREVER, ...rules }, events);
      void accepted.then((peer) => {
        ends.push(peer);
        made.server = peer;
        resolve(made);
      });
    };
    if (to !== undefined) dialer.dial(to, 1000, { connected, unreachable }, false);
  });
}

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  for (let i = 0, x = 1; i < length; i++) bytes[i] = x = (x * 75 + 74) % 65537;
  return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.length).equals(b);
}

for (const { way } of WAYS)
  test.each([1, 1000, 65_536, 65_537, 300_000, 8 * MB])(
    `${way}: %d bytes each way at once`,
    async (length) => {
      const one = await pair({ way });
      const up = noise(length);
      const down = noise(length + 3);
      const [atServer, atClient] = await Promise.all([
        one.server.read(up.length),
        one.client.read(down.length),
        one.client.write(up),
        one.server.write(down),
      ]);
      expect([same(atServer, up), same(atClient, down)]).toEqual([true, true]);
      one.client.close();
      one.server.close();
      await until(() => one.end !== undefined);
      expect([one.up, one.down]).toEqual([up.length, down.length]);
    },
  );

test.each(WAYS)("$way: a direction that is closed leaves the other open", async ({ way }) => {
  const one = await pair({ way });
  await one.client.write(noise(200_000));
  one.client.finish();
  expect((await one.server.read()).length).toBe(200_000); // up to its FIN
  await one.server.write(noise(300_000));
  await Bun.sleep(20);
  expect(one.end).toBeUndefined();
  one.server.finish();
  expect((await one.client.read()).length).toBe(300_000);
  await until(() => one.end !== undefined);
  expect(one.end).toBe("client");
  expect(relays.open).toBe(0);
});

test("the server may be the first to close", async () => {
  const one = await pair();
  await one.server.write(noise(10));
  one.server.finish();
  expect((await one.client.read()).length).toBe(10);
  await one.client.write(noise(20));
  expect((await one.server.read(20)).length).toBe(20);
  one.client.close();
  await until(() => one.end !== undefined);
  expect(one.end).toBe("server");
});

describe.each(WAYS)("$way: who breaks off,", ({ way }) => {
  test.each([
    { story: "an idle client", who: "client", before: 0 },
    { story: "an idle server", who: "server", before: 0 },
    { story: "a client in the middle", who: "client", before: 4 * MB },
    { story: "a server in the middle", who: "server", before: 4 * MB },
  ] as const)("$story, gives the other side a RST", async ({ who, before }) => {
    const one = await pair({ way });
    const [from, to] = who === "client" ? [one.client, one.server] : [one.server, one.client];
    if (before > 0) to.push(noise(before)); // on its way to whom nobody reads
    await Bun.sleep(10);
    from.abort();
    expect(await to.ends()).toBe("ECONNRESET");
    await until(() => one.end !== undefined);
    expect(one.end).toBe(`${who} reset`);
  });
});

test("a reset after a half-close is one", async () => {
  const one = await pair();
  one.client.finish();
  expect((await one.server.read()).length).toBe(0);
  one.client.abort();
  expect(await one.server.ends()).not.toBe("open");
  await until(() => one.end !== undefined);
  expect(one.end).toBe("client reset");
});

test.each(WAYS)("$way: who does not read stops who writes", async ({ way }) => {
  const one = await pair({ way });
  const piece = noise(MB);
  let sent = 0;
  for (let quiet = 0; quiet < 20;) {
    const n = one.client.push(piece.subarray(sent % 1000));
    sent += n;
    if (n > 0) quiet = 0;
    else quiet++;
    await Bun.sleep(2);
  }
  // Both sockets' buffers (4 MB to send, 32 MB to receive at most, by sysctl) and one step of ours.
  expect(sent).toBeLessThan(80 * MB);
  const got = (await one.server.read(sent)).length;
  expect(got).toBe(sent);
  await one.client.write(noise(100_000));
  expect((await one.server.read(100_000)).length).toBe(100_000);
});

test.each(WAYS)("$way: still for too long, or too old, it ends", async ({ way }) => {
  const now = performance.now();
  const still = await pair({ way, idle: 300 });
  const busy = await pair({ way, idle: 1200 });
  const old = await pair({ way, deadline: now + 300 });
  for (let i = 0; i < 20; i++) {
    await busy.client.write(noise(10));
    await Bun.sleep(100);
  }
  expect([still.end, busy.end, old.end]).toEqual(["idle", undefined, "total"]);
  expect(await still.client.ends()).toBe("end");
  expect(await busy.server.read(200)).toHaveLength(200);
  relays.end(busy.fd, "killed", true);
  expect(busy.end).toBe("killed");
  expect(await busy.client.ends()).toBe("ECONNRESET");
});

test.if(KERNEL).each([{ way: "auto" }, { way: "sockmap" }] as const)(
  "$way: bytes go by themselves, and are counted",
  async ({ way }) => {
    const one = await pair({ way });
    for (let i = 0; i < 150; i++) {
      await one.client.write(noise(1000));
      await one.server.read(1000);
      await one.server.write(noise(2000));
      await one.client.read(2000);
    }
    expect(relays.carrier(one.fd)).toBe("sockmap");
    await until(() => one.up === 150_000 && one.down === 300_000);
  },
);

test.if(KERNEL)(
  "a pair the kernel takes over in the middle of everything loses nothing",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.integer({ min: 1, max: 500 })),
        fc.infiniteStream(fc.nat(30)),
        async (lengths, pauses) => {
          const one = await pair();
          const all = noise(100_000);
          const write = async (peer: RawPeer): Promise<void> => {
            for (let at = 0; at < all.length;) {
              const end = Math.min(all.length, at + (lengths.next().value ?? 1));
              await peer.write(all.slice(at, end));
              at = end;
              if ((pauses.next().value ?? 0) > 10) continue;
              reactor().nudge();
              await Bun.sleep(0);
            }
          };
          const [atServer, atClient] = await Promise.all([
            one.server.read(all.length),
            one.client.read(all.length),
            write(one.client),
            write(one.server),
          ]);
          expect([same(atServer, all), same(atClient, all)]).toEqual([true, true]);
          one.client.finish();
          one.server.finish();
          await until(() => one.end !== undefined);
          expect([one.up, one.down]).toEqual([all.length, all.length]);
        },
      ),
      { numRuns: 10 },
    );
  },
  30_000,
);

test("what is written is read, in order, however the pieces fall", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          up: fc.boolean(),
          length: fc.oneof(fc.nat(2000), fc.nat(200_000), fc.nat(2 * MB)),
          pause: fc.nat(2),
          readFirst: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      fc.constantFrom(...WAYS.map(({ way }) => way)),
      async (steps, way) => {
        const one = await pair({ way });
        const totals = { up: 0, down: 0 };
        const sent = { up: [] as Uint8Array[], down: [] as Uint8Array[] };
        for (const { up, length } of steps) {
          const direction = up ? "up" : "down";
          sent[direction].push(noise(length).map((b) => b ^ sent[direction].length));
          totals[direction] += length;
        }
        const write = async (peer: RawPeer, pieces: Uint8Array[]): Promise<void> => {
          for (const [i, piece] of pieces.entries()) {
            await peer.write(new Uint8Array(piece));
            const pause = steps[i]?.pause ?? 0;
            if (pause > 0) await Bun.sleep(pause);
          }
          peer.finish();
        };
        const [atServer, atClient] = await Promise.all([
          one.server.read(),
          one.client.read(),
          write(one.client, sent.up),
          write(one.server, sent.down),
        ]);
        expect(same(atServer, Buffer.concat(sent.up))).toBe(true);
        expect(same(atClient, Buffer.concat(sent.down))).toBe(true);
        await until(() => one.end !== undefined);
        one.client.close();
        one.server.close();
      },
    ),
    { numRuns: 30 },
  );
}, 30_000);
