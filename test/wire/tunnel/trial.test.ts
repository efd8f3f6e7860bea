import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { block } from "../../../src/sys/memory.ts";
import { TrialReceiver } from "../../../src/wire/tunnel/trial-receiver.ts";
import { TrialSender } from "../../../src/wire/tunnel/trial-sender.ts";
import {
  emitTrial,
  parseTrial,
  TRIAL,
  TRIAL_KIND,
  trialMessage,
} from "../../../src/wire/tunnel/trial.ts";

const LENGTH = 1000;

/** A path of so many loads per ms with a queue of so many, where every `losing`-th is lost. */
function run(path: { rate: number; queue: number; delay: number; losing?: number; ms?: number }) {
  const { rate, queue, delay, losing = Infinity, ms = 2000 } = path;
  const sender = new TrialSender(0, ms);
  const receiver = new TrialReceiver(1, ms, 0);
  const there: { at: number; number: number; sent: number }[] = [];
  const back: { at: number; highest: number; received: number; sent: number }[] = [];
  let free = 0;
  let most = 0;
  for (let now = 0; now < ms + 500; now++) {
    while (back[0] !== undefined && back[0].at <= now) {
      const { highest, received, sent } = back[0];
      back.shift();
      sender.told(highest, received, sent, now);
    }
    for (let number = sender.next(now); number > 0; number = sender.next(now)) {
      free = Math.max(free, now);
      if ((free - now) * rate > queue || number % losing === 0) continue;
      free += 1 / rate;
      there.push({ at: free + delay, number, sent: now });
    }
    most = Math.max(most, sender.sent - receiver.highest);
    while (there[0] !== undefined && there[0].at <= now) {
      const { number, sent } = there[0];
      there.shift();
      if (receiver.take(number, LENGTH, sent, now)) {
        receiver.told();
        back.push({
          at: now + delay,
          highest: receiver.highest,
          received: receiver.received,
          sent,
        });
      }
    }
    if (receiver.untold && now % 50 === 0) {
      receiver.told();
      const { highest, received, time } = receiver;
      back.push({ at: now + delay, highest, received, sent: time });
    }
  }
  return { sender, receiver, share: receiver.rate / (rate * LENGTH * 1000), most };
}

describe("a trial finds out what a path carries", () => {
  test.each([
    { story: "a slow one", rate: 1, queue: 50, delay: 10 },
    { story: "a far one", rate: 8, queue: 400, delay: 75 },
    { story: "a near one", rate: 40, queue: 400, delay: 0 },
    { story: "one that loses one in fifty", rate: 8, queue: 400, delay: 20, losing: 50 },
  ])("$story", ({ rate, queue, delay, losing }) => {
    const path = { rate, queue, delay, ms: 4000, ...(losing && { losing }) };
    const { share, sender, receiver } = run(path);
    expect(share).toBeGreaterThan(0.8);
    expect(share).toBeLessThan(1.05);
    expect(receiver.lost).toBeLessThan(0.1);
    expect(receiver.received / sender.sent).toBeGreaterThan(0.8);
    expect(sender.rtt).toBeGreaterThanOrEqual(2 * delay);
  });
});

test("who is told nothing sends next to nothing, and gives up", () => {
  const sender = new TrialSender(0, 10_000);
  let sent = 0;
  for (let now = 0; now < 10_000; now++) while (sender.next(now) > 0) sent++;
  expect(sent).toBeLessThanOrEqual(5 * 8);
  expect(sender.over(2100)).toBe(true);
});

test("what cannot be told is not believed", () => {
  const sender = new TrialSender(0, 1000);
  while (sender.next(0) > 0);
  const before = sender.sent;
  sender.told(before + 1, 1, 0, 1); // never sent
  sender.told(5, 5, 9, 1); // sent in the future
  sender.told(5, 5, Number.NaN, 1);
  expect(sender.next(1)).toBe(0);
  expect(sender.rtt).toBeNaN();
});

test("what is written is read", () => {
  const memory = block(4096);
  const message = trialMessage();
  fc.assert(
    fc.property(
      fc.integer({ min: TRIAL_KIND.load, max: TRIAL_KIND.end }),
      fc.boolean(),
      fc.nat(0xffff_ffff),
      fc.double(),
      fc.integer({ min: TRIAL, max: 1400 }),
      (kind, last, number, time, length) => {
        const given = { kind, last, run: number, number, ms: number, time, rate: time, lost: time };
        emitTrial(memory, 8, given, length);
        expect(parseTrial(memory, 8, length, message)).toBe(true);
        expect(message).toEqual(given);
      },
    ),
  );
});

test("what is no such message is none", () => {
  const memory = block(4096);
  const message = trialMessage();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      memory.bytes.set(bytes, 8);
      const is = bytes.length >= TRIAL && (bytes[0] ?? 0) >= 3 && (bytes[0] ?? 0) <= 6;
      expect(parseTrial(memory, 8, bytes.length, message)).toBe(is);
    }),
  );
});
