import { expect, test } from "bun:test";

import { Epoll } from "../../src/sys/epoll.ts";
import { TimerFd } from "../../src/sys/timer-fd.ts";

const READABLE = 1;

/** Milliseconds from `began` until `epoll` tells something, or undefined. */
function waited(epoll: Epoll, most: number, began = performance.now()): number | undefined {
  return epoll.wait(most) > 0 ? performance.now() - began : undefined;
}

test.each([
  { story: "in a while", us: 2500, from: 2.4, to: 40 },
  { story: "in more than a second", us: 1_002_000, from: 1001, to: 1080 },
  { story: "at once", us: 0, from: 0, to: 20 },
  { story: "in the past", us: -1e9, from: 0, to: 20 },
  { story: "before all time", us: -Infinity, from: 0, to: 20 },
])("it rings $story: $us µs", ({ us, from, to }) => {
  const epoll = new Epoll(1);
  const timer = new TimerFd();
  epoll.add(timer.fd, READABLE);
  const began = performance.now();
  timer.set(us);
  const after = waited(epoll, 2000, began) ?? Infinity;
  expect(after).toBeGreaterThanOrEqual(from);
  expect(after).toBeLessThan(to);
  expect(waited(epoll, 0)).toBeDefined(); // until it is set anew
  timer.set(60e6);
  expect(waited(epoll, 5)).toBeUndefined();
  timer.set(Infinity);
  expect(waited(epoll, 5)).toBeUndefined();
  timer.close();
});
