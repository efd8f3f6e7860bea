import { expect, test } from "bun:test";

import { Departures } from "../../../src/services/tunnel/departures.ts";
import { nextAddress } from "../../../src/services/tunnel/endpoint.ts";
import { cipherFor, emitOffer } from "../../../src/services/tunnel/lane.ts";
import { socketOf, socketsOf, workerFor } from "../../../src/services/tunnel/placement.ts";
import { priority } from "../../../src/services/tunnel/priority.ts";
import { importWg } from "../../../src/services/tunnel/wg-import.ts";
import { routeTo } from "../../../src/sys/datagram-route.ts";
import { bindDatagram } from "../../../src/sys/datagram-socket.ts";
import { close } from "../../../src/sys/socket.ts";
import { TrainReceiver } from "../../../src/sys/train-receiver.ts";
import { parseWgConf } from "../../../src/wire/tunnel/wg-conf.ts";

const KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

test("tunnels with one address are in one worker; a tunnel more moves no other", () => {
  const at = (port: number) => ({ listen: { kind: "tcp" as const, host: "", port } });
  expect(socketOf("a", at(9000))).toBe(socketOf("b", at(9000)));
  expect(socketOf("a", at(0))).not.toBe(socketOf("b", at(0)));
  expect(socketOf("a", { listen: null })).not.toBe(socketOf("b", { listen: null }));
  expect(workerFor(":9000", new Set([":9000"]), 8)).toBe(0);
  const sockets = Array.from({ length: 200 }, (_, i) => `:${i}`);
  const some = new Set(sockets.slice(0, 100));
  const all = new Set(sockets);
  const counts = Array.from({ length: 4 }, () => 0);
  for (const socket of sockets) {
    const worker = workerFor(socket, all, 4);
    counts[worker] = (counts[worker] ?? 0) + 1;
    if (some.has(socket)) expect(workerFor(socket, some, 4)).toBe(worker);
  }
  for (const count of counts) expect(count).toBeGreaterThan(20);
});

test("what is passed on stays in one worker, with all that share a socket with it", () => {
  const at = (port: number, relay: string | null = null) => ({
    listen: { kind: "tcp" as const, host: "", port },
    relay,
  });
  const words = socketsOf({
    a: at(1, "b"),
    b: at(2, "a"),
    c: at(2, "d"),
    d: { listen: null, relay: "c" },
    e: at(3),
  });
  const [a, b, d, e] = [":1", ":2", "of d", ":3"].map((socket) => words.get(socket));
  expect([a, b]).toEqual([d, d]);
  expect(e).toBe(":3");
  expect(words.size).toBe(4);
});

test("the nearest living tunnel has the lowest metric; dead ones come last, and stay", () => {
  const alive = { fixed: undefined, place: 0, alive: true };
  const near = priority(5, alive);
  const far = priority(80, alive);
  const unknown = priority(Number.NaN, alive);
  const dead = priority(5, { ...alive, alive: false });
  expect(near).toBeLessThan(far);
  expect(far).toBeLessThan(unknown);
  expect(priority(1e9, alive)).toBeLessThan(dead);
  expect(priority(5, { ...alive, place: 1 })).not.toBe(near);
  expect(priority(5, { ...alive, fixed: 7 })).toBe(7);
  expect(priority(5, { ...alive, fixed: 2 ** 31, alive: false })).toBeLessThan(2 ** 31);
  for (const one of [near, far, unknown, dead]) expect(Number.isInteger(one)).toBe(true);
});

test("AES where both want it", () => {
  const [aes, chacha] = [emitOffer(16, "aes-256-gcm"), emitOffer(16, "chacha20-poly1305")];
  expect(cipherFor(aes, aes)).toBe("aes-256-gcm");
  for (const [a, b] of [
    [aes, chacha],
    [chacha, aes],
    [chacha, chacha],
    [aes, new Uint8Array()],
  ] as const)
    expect(cipherFor(a, b)).toBe("chacha20-poly1305");
});

test("addresses are tried in turn", () => {
  expect(nextAddress(["a", "b"], undefined)).toBe("a");
  expect(nextAddress(["a", "b"], "a")).toBe("b");
  expect(nextAddress(["a", "b"], "b")).toBe("a");
  expect(nextAddress(["a", "b"], "gone")).toBe("a");
  expect(nextAddress([], "a")).toBeUndefined();
});

test("datagrams of one length for one peer leave as a train, all others as they are", () => {
  const options = { reusePort: false, buffer: 1 << 20 };
  const host = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const [one, two, from] = [
    bindDatagram(host, options),
    bindDatagram(host, options),
    bindDatagram(host, options),
  ];
  const [toOne, toTwo] = [
    routeTo("127.0.0.1", one.port, false),
    routeTo("127.0.0.1", two.port, false),
  ];
  if (toOne === undefined || toTwo === undefined) throw new Error("no way");
  const departures = new Departures(100);
  const sent: [number, number][] = [];
  const add = (route: typeof toOne, length: number, what: number): void => {
    if (departures.full) departures.send(from.fd);
    departures.block.bytes.fill(what, departures.next, departures.next + length);
    departures.add(route, length);
    if (route === toOne) sent.push([length, what]);
  };
  for (let i = 0; i < 150; i++) add(toOne, 1400, i);
  add(toOne, 700, 150);
  add(toTwo, 1400, 1);
  add(toOne, 20, 151);
  add(toOne, 1400, 152);
  expect(departures.send(from.fd)).toBe(true);

  const got: [number, number][] = [];
  const trains = new TrainReceiver(8);
  for (let n = trains.receive(one.fd); n > 0; n = trains.receive(one.fd))
    for (let i = 0; i < n; i++)
      for (let at = 0; at < trains.lengthOf(i); at += trains.segmentOf(i)) {
        const length = Math.min(trains.segmentOf(i), trains.lengthOf(i) - at);
        const bytes = trains.bytes.subarray(i * trains.room + at, i * trains.room + at + length);
        expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
        got.push([length, bytes[0] ?? -1]);
      }
  expect(got).toEqual(sent);
  for (const { fd } of [one, two, from]) close(fd);
});

test("datagrams that are each of another length find no room before there is none", () => {
  const host = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const options = { reusePort: false, buffer: 1 << 20 };
  const [to, from] = [bindDatagram(host, options), bindDatagram(host, options)];
  const route = routeTo("127.0.0.1", to.port, false);
  if (route === undefined) throw new Error("no way");
  const departures = new Departures(100);
  // Each longer one ends the train before it, and a shorter one the last.
  for (let i = 0; i < 300; i++) {
    if (departures.full) expect(departures.send(from.fd)).toBe(true);
    departures.add(route, i % 7 === 6 ? 50 : 100 + i);
  }
  expect(departures.send(from.fd)).toBe(true);
  for (const { fd } of [to, from]) close(fd);
});

test("each peer of a wg0.conf becomes a tunnel", () => {
  const peer = (allowed: string) => `[Peer]\nPublicKey = ${KEY}\nAllowedIPs = ${allowed}\n`;
  const text = `[Interface]\nPrivateKey = ${KEY}\nAddress = 10.0.0.1/24\nListenPort = 51820\n${peer("10.0.0.2/32")}${peer("10.0.0.3/32, 10.9.0.0/16")}`;
  const { yaml, notes } = importWg(parseWgConf(text), "wg0");
  expect(notes).toEqual([]);
  expect(Bun.YAML.parse(yaml)).toMatchObject({
    tunnel: {
      "wg0-1": { wireguard: true, listen: ":51820", local: ["10.0.0.1"], routes: ["10.0.0.2/32"] },
      "wg0-2": {
        wireguard: true,
        listen: ":51820",
        mtu: 1420,
        routes: ["10.0.0.3/32", "10.9.0.0/16"],
      },
    },
  });
  expect(importWg(parseWgConf("[Interface]\n"), "wg0").notes).toEqual([
    "no PrivateKey: put one under `key`",
    "no peer: no tunnel",
  ]);
});
