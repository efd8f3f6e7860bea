/** What others may send: nothing of it throws, is answered, or leaves anything behind. */
import { beforeEach, describe, expect, test } from "bun:test";

import fc from "fast-check";

import { noisePrimitives as primitives } from "../../../src/net/aead/noise-primitives.ts";
import { CookieJar } from "../../../src/wire/noise/cookie-jar.ts";
import { Crowd } from "../../../src/wire/noise/crowd.ts";
import { Doorman } from "../../../src/wire/noise/doorman.ts";
import {
  counterAt,
  initiationSize,
  kindOf,
  responseSize,
} from "../../../src/wire/noise/message.ts";
import { keysOf } from "../../../src/wire/noise/primitives.ts";
import { TERN, WIREGUARD } from "../../../src/wire/noise/protocol.ts";
import { emitTimestamp, isLater, nextTimestamp } from "../../../src/wire/noise/timestamp.ts";
import { writeDataHeader } from "./data-header.ts";
import * as properties from "./noise.properties.ts";
import { dice, type End, isUntouched, TwoEnds } from "./two-ends.ts";

let world: TwoEnds;
let initiation: Uint8Array;

beforeEach(() => {
  world = new TwoEnds();
  world.a.session.begin(world.now);
  initiation = bytesOf(world.a, world.now);
});

const bytesOf = (end: End, now: number): Uint8Array => {
  for (const datagram of end.outgoing(now)) if ("bytes" in datagram) return datagram.bytes;
  throw new Error("nothing went out");
};
test("random bytes, of any length and of the right ones", () => {
  fc.assert(properties.anyBytes);
});

test("what was right, changed somewhere", () => {
  fc.assert(properties.changedSomewhere);
});

test("an initiation with one bit changed, or cut, or with a right MAC over nonsense", () => {
  const jar = new CookieJar(primitives, WIREGUARD, world.b.identity.keys.publicKey);
  for (let bit = 0; bit < (initiation.length - 16) * 8; bit += 3) {
    const changed = initiation.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7); // within the message
    expect(world.b.takeHandshake(changed, world.now)).toBe(false);
    if (bit % 12 > 0 || bit < 64 || bit >= 116 * 8) continue; // the sender may choose his index
    jar.sign(changed, world.now);
    expect(world.b.doorman.knowsUs(changed)).toBe(true);
    expect(world.b.takeHandshake(changed, world.now)).toBe(false);
  }
  for (let length = 0; length < initiation.length; length++)
    expect(world.b.takeHandshake(initiation.subarray(0, length), world.now)).toBe(false);
  expect(isUntouched(world.b)).toBe(true);
  expect(world.b.takeHandshake(initiation, world.now)).toBe(true);
});

test("a stranger with keys of his own", () => {
  const stranger = new TwoEnds().a; // who is "a" as well; so b is told another peer
  world.b.peerKey = new Uint8Array(32).fill(3);
  stranger.session.begin(world.now);
  expect(world.b.takeHandshake(bytesOf(stranger, world.now), world.now)).toBe(false);
  expect(isUntouched(world.b)).toBe(true);
});

test("the same initiation again, later, and after a newer one", () => {
  expect(world.b.takeHandshake(initiation, world.now)).toBe(true);
  expect(world.b.takeHandshake(initiation, world.now + 1000)).toBe(false);
  world.a.session.begin(world.now + 6000);
  const newer = bytesOf(world.a, world.now + 6000);
  expect(world.b.takeHandshake(newer, world.now + 6000)).toBe(true);
  expect(world.b.takeHandshake(initiation, world.now + 7000)).toBe(false);
});

test("initiations that come faster than 50 in a second", () => {
  expect(world.b.takeHandshake(initiation, world.now)).toBe(true);
  world.a.session.begin(world.now + 6000);
  expect(world.b.takeHandshake(bytesOf(world.a, world.now + 6000), world.now + 10)).toBe(false);
});

test("responses: changed, for another, of long ago, and twice", () => {
  world.b.takeHandshake(initiation, world.now);
  const response = bytesOf(world.b, world.now);
  for (let bit = 0; bit < (response.length - 16) * 8; bit += 3) {
    const changed = response.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7); // within the message
    expect(world.a.takeHandshake(changed, world.now)).toBe(false);
  }
  expect(world.b.takeHandshake(response, world.now)).toBe(false);
  expect(world.a.takeHandshake(response, world.now)).toBe(true);
  expect(world.a.takeHandshake(response, world.now)).toBe(false);
});

describe("cookies", () => {
  const source = Uint8Array.of(192, 0, 2, 1, 0x23, 0x28);
  const elsewhere = Uint8Array.of(192, 0, 2, 2, 0x23, 0x28);

  test("whoever has one is let in: from there, for two minutes", () => {
    const { doorman } = world.b;
    expect(doorman.hasCookie(initiation, source, world.now)).toBe(false);
    const reply = doorman.cookieFor(initiation, source, world.now);
    expect(kindOf(reply, WIREGUARD)).toBe("cookie");
    expect(reply.length).toBeLessThan(initiation.length);
    expect(world.a.takeHandshake(reply, world.now)).toBe(true);
    expect(world.a.takeHandshake(reply, world.now)).toBe(false); // one for each message

    world.a.session.begin(world.now + 6000);
    const again = bytesOf(world.a, world.now + 6000);
    const has = (from: Uint8Array, after: number): boolean =>
      doorman.hasCookie(again, from, world.now + after);
    expect([has(source, 6000), has(elsewhere, 6000), has(source, 120_000)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(world.b.takeHandshake(again, world.now + 6000)).toBe(true);
  });

  test("one that is old is not used any more", () => {
    world.a.takeHandshake(world.b.doorman.cookieFor(initiation, source, world.now), world.now);
    world.a.session.begin(world.now + 130_000);
    const late = bytesOf(world.a, world.now + 130_000);
    expect(late.subarray(-16)).toEqual(new Uint8Array(16));
  });

  test("one for another message, or changed, is none", () => {
    const reply = world.b.doorman.cookieFor(initiation, source, world.now);
    for (let at = 4; at < reply.length; at += 3) {
      const changed = reply.slice();
      changed[at]! ^= 1; // within the reply
      expect(world.a.takeHandshake(changed, world.now)).toBe(false);
    }
    const other = new TwoEnds().a;
    other.session.begin(world.now);
    bytesOf(other, world.now);
    expect(
      other.session.takeCookie(world.b.doorman.cookieFor(new Uint8Array(148), source, 0), 0),
    ).toBe(false);
  });

  test("knowing our key is something that is seen", () => {
    const keys = keysOf(primitives, new Uint8Array(32).fill(77));
    const other = new Doorman(primitives, WIREGUARD, keys.publicKey, dice(3));
    expect([world.b.doorman.knowsUs(initiation), other.knowsUs(initiation)]).toEqual([true, false]);
  });
});

test("a crowd is more than a hundred in a second, and for a second after", () => {
  const crowd = new Crowd();
  const arrive = (from: number, count: number, every: number): boolean[] =>
    Array.from({ length: count }, (_, i) => crowd.arrived(from + i * every));
  expect(arrive(0, 300, 20)).not.toContain(true);
  const many = arrive(10_000, 150, 1);
  expect([many[99], many[100], many[149]]).toEqual([false, true, true]);
  expect([crowd.arrived(11_000), crowd.arrived(11_200)]).toEqual([true, false]);
});

test("sizes are WireGuard's; ours are others, so that neither is taken for the other", () => {
  expect([initiationSize(WIREGUARD), responseSize(WIREGUARD)]).toEqual([148, 92]);
  expect([initiationSize(TERN), responseSize(TERN)]).toEqual([164, 108]);
  expect(kindOf(initiation, TERN)).toBeUndefined();
});

test("the header of data", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.maxSafeNat(), (receiver, counter) => {
      const bytes = new Uint8Array(40);
      const view = new DataView(bytes.buffer);
      writeDataHeader(view, 3, receiver, counter);
      expect(kindOf(bytes.subarray(3), WIREGUARD)).toBe("data");
      expect([view.getUint32(7, true), counterAt(view, 11)]).toEqual([receiver, counter]);
    }),
  );
  const view = new DataView(new Uint8Array(8).fill(255).buffer);
  expect(counterAt(view, 0)).toBe(Infinity);
});

test("times: TAI64N in steps, later than any told before", () => {
  // 2**62 + 10 + seconds, as libtai has it.
  const label = (wall: number): string => Buffer.from(emitTimestamp(wall)).toString("hex");
  expect(label(0)).toBe("400000000000000a00000000");
  expect(label(1_700_000_000_999)).toBe("400000006553f10a3b000000");
  fc.assert(
    fc.property(fc.nat(4e12), fc.nat(4e12), (a, b) => {
      const [first, second] = [emitTimestamp(a), emitTimestamp(b)];
      if (isLater(first, second)) expect(a).toBeGreaterThan(b);
      if (Math.abs(a - b) > 17) expect(isLater(first, second)).toBe(a > b);
      expect([isLater(first, first), isLater(nextTimestamp(first), first)]).toEqual([false, true]);
    }),
  );
});
