import { describe, expect, test } from "bun:test";
/** Questions to a resolver that is really there, on loopback. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

import { machineResolver } from "../../../src/net/pools/resolver.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/dns/message.ts";
import { parseName, showName } from "../../../src/wire/dns/name.ts";
import { parseRdata } from "../../../src/wire/dns/rdata/parse.ts";
import type { Rr } from "../../../src/wire/dns/rr.ts";
import { CLASS, parseType, showType } from "../../../src/wire/dns/types.ts";
import { FLAG } from "../../../src/wire/dns/writer.ts";
import { freePort } from "../../fake/ports.ts";

/** `name ttl TYPE rdata`, by `name TYPE`. */
const ZONE: Record<string, string[]> = {
  "app.test. A": [
    "app.test. 300 CNAME real.test.",
    "real.test. 20 A 10.0.0.1",
    "real.test. 20 A 10.0.0.2",
  ],
  "app.test. AAAA": ["app.test. 300 CNAME real.test.", "real.test. 40 AAAA 2001:db8::1"],
  "_http._tcp.app.test. SRV": ["_http._tcp.app.test. 15 SRV 10 5 8080 one.test."],
};

function record(line: string): Rr {
  const [name = "", ttl = "", type = "", ...rdata] = line.split(" ");
  const number = parseType(type) ?? 0;
  const read = parseRdata(number, rdata.join(" "));
  if (!read.ok) throw new Error(read.problem);
  return {
    name: parseName(name) as Uint8Array,
    type: number,
    class: CLASS.IN,
    ttl: Number(ttl),
    rdata: read.rdata,
  };
}

function answer(question: Uint8Array, flags: number, rcode: number): Uint8Array {
  const asked = decodeMessage(question);
  const [one] = asked?.questions ?? [];
  if (!asked || !one) throw new Error("no question");
  const lines = ZONE[`${showName(one.name)} ${showType(one.type)}`] ?? [];
  return encodeMessage({
    ...asked,
    flags: FLAG.QR | FLAG.RD | FLAG.RA | flags,
    rcode,
    answers: flags & FLAG.TC ? [] : lines.map(record),
  }) as Uint8Array;
}

/** A resolver; `flags` are set in its answers by datagram. */
async function resolver({ flags = 0, rcode = 0, silent = false } = {}) {
  const udp = createSocket("udp4", (bytes, from) => {
    if (!silent) udp.send(answer(bytes, flags, rcode), from.port, from.address);
  });
  const port = await freePort();
  await new Promise<void>((ready) => udp.bind(port, "127.0.0.1", ready));
  const tcp = createServer((socket) => {
    socket.on("data", (bytes: Buffer) => {
      const said = answer(new Uint8Array(bytes.subarray(2)), 0, rcode);
      socket.end(Buffer.concat([Uint8Array.of(said.length >> 8, said.length & 255), said]));
    });
  });
  await new Promise<void>((ready) => tcp.listen(port, "127.0.0.1", ready));
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.dispose]() {
      udp.close();
      tcp.close();
    },
  };
}

test.each([
  { name: "app.test", type: "A" as const, texts: ["10.0.0.1", "10.0.0.2"], ttl: 20 },
  { name: "app.test.", type: "AAAA" as const, texts: ["2001:db8::1"], ttl: 40 },
  { name: "_http._tcp.app.test", type: "SRV" as const, texts: ["10 5 8080 one.test."], ttl: 15 },
  { name: "none.test", type: "A" as const, texts: [], ttl: 0 },
])("$type of $name: $texts, for $ttl seconds", async ({ name, type, texts, ttl }) => {
  using one = await resolver();
  const asked = machineResolver(() => [one.address]);
  expect(await asked.records(name, type)).toEqual({ texts, ttl });
});

test("an answer that does not fit is asked for over TCP", async () => {
  using one = await resolver({ flags: FLAG.TC });
  const { texts } = await machineResolver(() => [one.address]).records("app.test", "A");
  expect(texts).toHaveLength(2);
});

test("no such name is an answer: there are none", async () => {
  using one = await resolver({ rcode: 3 });
  expect((await machineResolver(() => [one.address]).records("none.test", "A")).texts).toEqual([]);
});

describe("when one resolver is no help", () => {
  test("the next is asked", async () => {
    using bad = await resolver({ rcode: 2 });
    using good = await resolver();
    const both = machineResolver(() => [bad.address, good.address]);
    expect((await both.records("app.test", "A")).texts).toHaveLength(2);
  });

  test("and there is no other, it says why", async () => {
    using bad = await resolver({ rcode: 2 });
    const only = machineResolver(() => [bad.address]);
    expect(only.records("app.test", "A")).rejects.toThrow(/refuses to say \(SERVFAIL\)/);
    expect(machineResolver(() => []).records("app.test", "A")).rejects.toThrow("has no resolvers");
  });
});

test("what this machine knows without resolvers", async () => {
  const none = machineResolver(() => []);
  expect(await none.decided("LocalHost")).toContain("127.0.0.1");
  expect(await none.guessed("localhost")).toContain("127.0.0.1");
  expect(await none.decided("no-such-name.invalid")).toEqual([]);
  expect(await none.guessed("no-such-name.invalid")).toEqual([]);
});
