import { afterEach, describe, expect, test } from "bun:test";

import type { Address } from "../../src/core/address.ts";
import { CONNECTED, endOf, routeTo } from "../../src/sys/datagram-route.ts";
import { bindDatagram, dialDatagram } from "../../src/sys/datagram-socket.ts";
import { joinsTrains, longestTrain, MAX_TRAIN } from "../../src/sys/datagram-trains.ts";
import { setOption } from "../../src/sys/socket-options.ts";
import { close } from "../../src/sys/socket.ts";
import { TrainReceiver } from "../../src/sys/train-receiver.ts";
import { TrainSender } from "../../src/sys/train-sender.ts";
import { needs } from "./needs.ts";

const hasIp6 = await Bun.file("/proc/net/if_inet6").exists();
const made: number[] = [];
afterEach(() => {
  for (const fd of made.splice(0)) close(fd);
});

const udp = (host: string, port = 0): Address => ({ kind: "tcp", host, port });

function bind(host: string, buffer = 1 << 20): { fd: number; port: number } {
  const socket = bindDatagram(udp(host), { reusePort: false, buffer, dontFragment: true });
  made.push(socket.fd);
  return socket;
}

/** Write datagrams of these lengths, all but the last alike, each filled with its own number. */
function fill(sender: TrainSender, count: number, segment: number, last = segment): number {
  let at = sender.offset;
  for (let i = 0; i < count; i++) {
    const length = i === count - 1 ? last : segment;
    sender.bytes.fill(i + 1, at, at + length);
    at += length;
  }
  return at - sender.offset;
}

/** Every datagram there is: its length and what it is filled with. */
function take(receiver: TrainReceiver, fd: number): { trains: number; datagrams: string[] } {
  const datagrams: string[] = [];
  let trains = 0;
  for (let n = receiver.receive(fd); n > 0; n = receiver.receive(fd))
    for (let i = 0; i < n; i++) {
      trains++;
      const from = i * receiver.room;
      const end = from + receiver.lengthOf(i);
      const step = receiver.segmentOf(i);
      for (let at = from; at < end; at += step) {
        const one = receiver.bytes.subarray(at, Math.min(at + step, end));
        expect(one.every((byte) => byte === one[0])).toBe(true);
        datagrams.push(`${one.length}x${one[0]}`);
      }
    }
  return { trains, datagrams };
}

const expected = (count: number, segment: number, last = segment): string[] =>
  Array.from({ length: count }, (_, i) => `${i === count - 1 ? last : segment}x${i + 1}`);

describe.each([
  { story: "IPv4", at: "127.0.0.1", to: "127.0.0.1", from: "127.0.0.1", mapped: false },
  { story: "IPv6", at: "::1", to: "::1", from: "::1", mapped: false },
  { story: "IPv4 to a socket for both", at: "", to: "127.0.0.1", from: "127.0.0.1", mapped: false },
  {
    story: "IPv4 from a socket for both",
    at: "127.0.0.1",
    to: "127.0.0.1",
    from: "",
    mapped: true,
  },
])("$story", ({ at, to, from, mapped }) => {
  needs(hasIp6, "IPv6")("a train arrives as one, and its datagrams as they were", () => {
    const [a, b] = [bind(from), bind(at)];
    expect(joinsTrains(b.fd)).toBe(true);
    const route = routeTo(to, b.port, mapped) ?? CONNECTED;
    const sender = new TrainSender(4, 4 * MAX_TRAIN);
    const receiver = new TrainReceiver(4);
    sender.push(route, fill(sender, 40, 1472, 100), 1472);
    expect(sender.send(a.fd)).toBe(true);
    expect(take(receiver, b.fd)).toEqual({ trains: 1, datagrams: expected(40, 1472, 100) });
    expect([sender.sent, sender.lost, sender.pending, sender.offset]).toEqual([1, 0, 0, 0]);
  });

  needs(hasIp6, "IPv6")("the answer goes back to where it came from", () => {
    const [a, b] = [bind(from), bind(at)];
    joinsTrains(b.fd);
    const route = routeTo(to, b.port, mapped) ?? CONNECTED;
    const sender = new TrainSender(4, 4 * MAX_TRAIN);
    const receiver = new TrainReceiver(4);
    for (const count of [1, 3]) {
      sender.push(route, fill(sender, count, 50), 50);
      sender.send(a.fd);
      expect(receiver.receive(b.fd)).toBe(1);
      const back = receiver.routeOf(0);
      expect(receiver.cameFrom(0, back)).toBe(true);
      expect(receiver.cameFrom(0, route)).toBe(false);
      expect(endOf(back)).toMatchObject({ port: a.port });
      sender.push(back, fill(sender, 2, 30), 30);
      sender.send(b.fd);
      expect(take(receiver, a.fd).datagrams).toEqual(expected(2, 30));
    }
  });
});

test("many trains for several peers go with one call", () => {
  const [a, b, c] = [bind("127.0.0.1"), bind("127.0.0.1"), bind("127.0.0.1")];
  joinsTrains(b.fd);
  const sender = new TrainSender(8, 8 * MAX_TRAIN);
  for (const [to, count] of [
    [b, 10],
    [c, 3],
    [b, 1],
  ] as const)
    sender.push(routeTo("127.0.0.1", to.port, false) ?? CONNECTED, fill(sender, count, 1000), 1000);
  expect(sender.pending).toBe(3);
  sender.send(a.fd);
  const receiver = new TrainReceiver(2);
  expect(take(receiver, b.fd)).toEqual({
    trains: 2,
    datagrams: [...expected(10, 1000), ...expected(1, 1000)],
  });
  // Nobody asked for trains here.
  expect(take(receiver, c.fd)).toEqual({ trains: 3, datagrams: expected(3, 1000) });
});

test("a connected socket needs no route", () => {
  const b = bind("127.0.0.1");
  joinsTrains(b.fd);
  const a = dialDatagram(b.port, 1 << 20);
  if (a === undefined) throw new Error("no socket");
  made.push(a.fd);
  const sender = new TrainSender(1, MAX_TRAIN);
  sender.push(CONNECTED, fill(sender, 44, 1472), 1472);
  expect(sender.full).toBe(true);
  expect(sender.send(a.fd)).toBe(true);
  expect(take(new TrainReceiver(1), b.fd)).toEqual({ trains: 1, datagrams: expected(44, 1472) });
});

describe("when it cannot be so", () => {
  test("a kernel that does not cut: one by one, this time and from then on", () => {
    const [a, b] = [bind("127.0.0.1"), bind("127.0.0.1")];
    setOption(a.fd, "SO_NO_CHECK", 1); // a train without checksums is EINVAL
    const route = routeTo("127.0.0.1", b.port, false) ?? CONNECTED;
    const sender = new TrainSender(4, 4 * MAX_TRAIN);
    const receiver = new TrainReceiver(4);
    for (let round = 1; round <= 2; round++) {
      sender.push(route, fill(sender, 5, 700, 10), 700);
      expect(sender.send(a.fd)).toBe(true);
      expect(take(receiver, b.fd).datagrams).toEqual(expected(5, 700, 10));
      expect([sender.sent, sender.lost]).toEqual([round, 0]);
    }
  });

  test("no room: what is left goes later, or never", () => {
    const [a, b] = [bind("127.0.0.1", 8192), bind("127.0.0.1")];
    joinsTrains(b.fd);
    const route = routeTo("127.0.0.1", b.port, false) ?? CONNECTED;
    const sender = new TrainSender(8, 8 * MAX_TRAIN);
    const receiver = new TrainReceiver(4);
    for (let i = 0; i < 8; i++) sender.push(route, fill(sender, 40, 1400), 1400);
    let rounds = 0;
    const came: string[] = [];
    while (!sender.send(a.fd)) {
      expect(rounds++).toBeLessThan(50);
      came.push(...take(receiver, b.fd).datagrams);
    }
    came.push(...take(receiver, b.fd).datagrams);
    expect(came).toEqual(Array.from({ length: 8 }, () => expected(40, 1400)).flat());
    sender.push(route, fill(sender, 1, 10), 10);
    sender.drop();
    expect([sender.pending, sender.send(a.fd), take(receiver, b.fd).trains]).toEqual([0, true, 0]);
  });

  test("what nobody takes costs only itself, and what is too long is counted", () => {
    const [a, b] = [bind("127.0.0.1"), bind("127.0.0.1")];
    joinsTrains(b.fd);
    const good = routeTo("127.0.0.1", b.port, false) ?? CONNECTED;
    const sender = new TrainSender(8, 8 * MAX_TRAIN);
    sender.push(good, fill(sender, 3, 100), 100);
    sender.push(routeTo("255.255.255.255", 9, false) ?? CONNECTED, fill(sender, 1, 100), 100);
    sender.push(good, fill(sender, 2, 200), 200);
    expect(sender.send(a.fd)).toBe(true);
    expect([sender.sent, sender.lost, sender.tooLong]).toEqual([2, 1, 0]);
    expect(take(new TrainReceiver(2), b.fd).datagrams).toEqual([
      ...expected(3, 100),
      ...expected(2, 200),
    ]);
  });

  test("a descriptor that is no socket is told", () => {
    expect(() => new TrainReceiver(1).receive(0x7ffe)).toThrow("recvmmsg fd 32766: EBADF");
  });
});

test.each([
  { segment: 1, most: 64 },
  { segment: 1015, most: 64 },
  { segment: 1472, most: 44 },
  { segment: 40_000, most: 1 },
  { segment: 65_507, most: 1 },
])("a train of $segment bytes each has $most at most", ({ segment, most }) => {
  expect(longestTrain(segment)).toBe(most);
});
