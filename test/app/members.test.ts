import { expect, test } from "bun:test";

import type { Member } from "../../src/app/crew.ts";
import { listenerStatus, workerStatus } from "../../src/app/members.ts";

const member = (index: number, listeners: readonly [string, number, number][]): Member => ({
  index,
  pid: 100 + index,
  state: "serving",
  restarts: 0,
  lastDeath: undefined,
  report: {
    pid: 100 + index,
    uptime: 1234.5,
    rss: 60_000_000,
    lag: 1.4,
    listeners: listeners.map(([listener, connections, requests]) => ({
      listener,
      port: 8080,
      connections,
      requests,
      sites: ["web.site"],
    })),
    services: ["web"],
    stats: {},
    metrics: { families: [] },
  },
});

test("an address once, with what all workers on it have", () => {
  const members = [
    member(0, [
      [":80", 1, 10],
      [":81", 2, 20],
    ]),
    member(1, [[":80", 4, 40]]),
  ];
  expect(listenerStatus(members)).toMatchObject([
    { address: ":80", connections: 5, requests: 50, workers: [0, 1], sites: ["web.site"] },
    { address: ":81", connections: 2, requests: 20, workers: [0] },
  ]);
  expect(workerStatus(members[0]!)).toMatchObject({ connections: 3, requests: 30, uptimeMs: 1235 });
});

test("a worker that is down has nothing to say", () => {
  const down: Member = { ...member(3, []), state: "down", pid: undefined, report: undefined };
  expect(workerStatus(down)).toMatchObject({ state: "down", rssBytes: 0, listeners: [] });
  expect(listenerStatus([down])).toEqual([]);
});

test("what nobody counts for each listener is not made up", () => {
  const one = (index: number): Member => {
    const { report, ...rest } = member(index, []);
    const listeners = [{ listener: "udp :53", port: 53, sites: ["dns ns"], requests: 5 }];
    return { ...rest, report: report && { ...report, listeners } };
  };
  const [udp] = listenerStatus([one(0), one(1)]);
  expect(udp).toMatchObject({ address: "udp :53", requests: 10, workers: [0, 1] });
  expect(udp?.connections).toBeUndefined();
  expect(workerStatus(one(0))).toMatchObject({ connections: 0, requests: 5 });
});
