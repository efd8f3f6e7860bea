import { expect } from "bun:test";

import fc from "fast-check";

import { ReplayWindow } from "../../../src/wire/noise/replay-window.ts";
import { isUntouched, TwoEnds } from "./two-ends.ts";

/** Of the kinds and lengths that there are, with anything inside. */
const likely = fc
  .constantFrom(32, 64, 92, 148)
  .chain((length) =>
    fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.uint8Array({ minLength: length, maxLength: length }),
    ),
  )
  .map(([type, bytes]) => {
    bytes.set([type, 0, 0, 0]);
    return bytes;
  });

const shared = new TwoEnds();

/** Nothing is thrown, taken, answered or left behind. */
export const anyBytes = fc.property(
  fc.oneof(fc.uint8Array({ maxLength: 200 }), likely),
  (bytes) => {
    expect(shared.b.takeHandshake(bytes, shared.now)).toBe(false);
    expect(isUntouched(shared.b)).toBe(true);
  },
);

/** An initiation, a response and a cookie of others' making. */
const recorded = record();

function record(): readonly Uint8Array[] {
  const world = new TwoEnds();
  const kept: Uint8Array[] = [];
  world.passes = (_, datagram) => {
    if ("bytes" in datagram) kept.push(datagram.bytes);
    return true;
  };
  world.a.session.begin(world.now);
  world.until(2000);
  const [first = new Uint8Array()] = kept;
  return [...kept, world.b.doorman.cookieFor(first, Uint8Array.of(1, 2, 3), world.now)];
}

/** What others once sent, with a few bytes changed: it is not taken by one who never heard of it. */
export const changedSomewhere = fc.property(
  fc.constantFrom(...recorded),
  fc.array(fc.tuple(fc.nat(147), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
  (bytes, changes) => {
    const changed = bytes.slice();
    for (const [at, by] of changes) {
      const where = at % (bytes.length - 16); // MAC2 is for crowds only
      changed[where] = (changed[where] ?? 0) ^ by;
    }
    if (changed.every((byte, i) => byte === bytes[i])) return; // changed back
    expect(shared.b.takeHandshake(changed, shared.now)).toBe(false);
    expect(isUntouched(shared.b)).toBe(true);
  },
);

const step = fc.oneof(
  fc.integer({ min: -9000, max: 300 }),
  fc.integer({ min: -20_000, max: 20_000 }),
);

/** The window is a set of all counters that came, of which it forgets the oldest. */
export const windowIsASet = fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
  const window = new ReplayWindow();
  const seen = new Set<number>();
  let latest = -1;
  for (const by of steps) {
    const counter = Math.max(0, latest + by);
    const right = !seen.has(counter) && latest - counter < 8192;
    expect(window.isFresh(counter)).toBe(right);
    expect(window.accept(counter)).toBe(right);
    seen.add(counter);
    latest = Math.max(latest, counter);
  }
});
