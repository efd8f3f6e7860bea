import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { connect } from "node:net";

import { askDns } from "../../../src/net/dns-client.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../src/wire/dns/message.ts";
import { parseName } from "../../../src/wire/dns/name.ts";
import { CLASS, RCODE, TYPE } from "../../../src/wire/dns/types.ts";
import { FLAG } from "../../../src/wire/dns/writer.ts";
import { needs } from "../../sys/needs.ts";
import { dig, kdig, type Serving, serving, ZONE } from "./serving.ts";

const withDig = needs(Bun.which("dig") !== null, "dig (bind9-dnsutils)");
const withKdig = needs(Bun.which("kdig") !== null, "kdig (knot-dnsutils)");

const NAMES = {
  "a.i.example.net": { ttl: 100, tiers: [["10.23.4.1-6"]] },
  "b.example.org": { ttl: 60, tiers: [["10.23.4.9"]] },
};

let server: Serving;
beforeAll(async () => {
  server = await serving({ names: NAMES, nsid: "tern-1" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Ask by a message of our own. */
async function ask(
  { port }: Pick<Serving, "port">,
  name: string,
  type: number,
  more: Partial<Message> = {},
  transport: "udp" | "tcp" = "udp",
): Promise<Message> {
  const question = { name: parseName(name) as Uint8Array, type, class: CLASS.IN };
  const bytes = encodeMessage({
    id: 4711,
    flags: 0,
    opcode: 0,
    rcode: 0,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    ...more,
  }) as Uint8Array;
  const at = { host: "127.0.0.1", port, transport } as const;
  return decodeMessage(await askDns(bytes, at, 2000)) as Message;
}

const edns = (udpSize: number): Pick<Message, "edns"> => ({
  edns: { udpSize, version: 0, do: false, compact: false, options: [] },
});

describe("dig reads", () => {
  const rows = [
    { q: "www.example.net A", says: ["NOERROR", "qr aa", "192.0.2.10", "192.0.2.11"] },
    { q: "alias.example.net AAAA", says: ["CNAME\twww.example.net.", "2001:db8::10"] },
    { q: "x.wild.example.net TXT", says: ['"hello"'] },
    { q: "nowhere.example.net A", says: ["NXDOMAIN", "SOA\tns1.example.net."] },
    { q: "www.example.net MX", says: ["NOERROR", "ANSWER: 0", "SOA\tns1.example.net."] },
    { q: "x.sub.example.net A", says: ["NS\tns.sub.example.net.", "192.0.2.53", "flags: qr rd;"] },
    { q: "example.org A", says: ["NOERROR", "SOA\t"] }, // above b.example.org
    { q: "example.com A", says: ["REFUSED", "EDE: 20"] },
    { q: "a.i.example.net A", says: ["NOERROR", "ANSWER: 6", "10.23.4.6"] },
    { q: "a.i.example.net AAAA", says: ["NOERROR", "ANSWER: 0", "SOA\tns1.example.net."] },
    { q: "i.example.net A", says: ["NOERROR", "ANSWER: 0"] }, // only there for a.i
    {
      q: "to.example.net A",
      says: ["NOERROR", "ANSWER: 1", "CNAME\ta.i.example.net.", "AUTHORITY: 0"],
    },
    { q: "b.example.org A", says: ["qr aa", "10.23.4.9"] },
    { q: "many.example.net TXT", says: ["retrying in TCP", "(TCP)", "0000"] },
    { q: "wWw.ExAmPlE.nEt A", says: ["wWw.ExAmPlE.nEt.", "192.0.2.10"] },
    { q: "www.example.net A +nsid", says: ["NSID", "tern-1"] },
    { q: "www.example.net A +tcp +keepalive", says: ["KEEPALIVE: 10.0 secs", "(TCP)"] },
    { q: "www.example.net A +subnet=198.51.100.0/24", says: ["CLIENT-SUBNET: 198.51.100.0/24/0"] },
    { q: "www.example.net A +edns=1 +noednsneg", says: ["BADVERS"] },
    { q: "version.bind TXT CH", says: ["REFUSED"] },
    { q: "www.example.net A +opcode=5", says: ["NOTIMP"] },
    { q: "www.example.net A +cookie", says: ["(good)"] },
  ];
  for (const { q, says } of rows)
    withDig(q, async () => {
      const text = await dig(server.port, ...q.split(" "));
      for (const word of says) expect(text.replaceAll(/\t+/g, "\t")).toContain(word);
    });
});

describe("how much is answered over UDP", () => {
  test.each([
    { story: "512 bytes without EDNS", size: undefined, tc: true },
    { story: "what the client takes", size: 1232, tc: false },
    { story: "never less than 512", size: 100, tc: true },
    { story: "never more than we send", size: 4096, tc: false },
  ])("$story", async ({ size, tc }) => {
    await using free = await serving({ amplification: 0 });
    // 4 strings of 100 bytes, behind a question of 33: 463 with everything, 474 with OPT.
    const some = await ask(free, "some.example.net.", TYPE.TXT, size ? edns(size) : {});
    expect(some.flags & FLAG.TC).toBe(0);
    const many = await ask(free, "many.example.net.", TYPE.TXT, size ? edns(size) : {});
    expect([many.flags & FLAG.TC, many.answers.length]).toEqual([FLAG.TC, 0]); // 2 KB fit nowhere
    expect(tc).toBe(size === undefined || size < 512 ? true : tc);
  });

  test("three times the question, headers and all, for clients that may be anybody", async () => {
    await using fresh = await serving();
    const cut = await ask(fresh, "some.example.net.", TYPE.TXT, edns(1232));
    expect([cut.flags & FLAG.TC, cut.answers.length]).toEqual([FLAG.TC, 0]);
    const small = await ask(fresh, "www.example.net.", TYPE.A);
    expect([small.flags & FLAG.TC, small.answers.length]).toEqual([0, 2]);
  });

  withDig("more for those who show a cookie of ours", async () => {
    await using fresh = await serving();
    const first = await dig(fresh.port, "www.example.net", "A", "+cookie=0123456789abcdef");
    const [, cookie = ""] = /COOKIE: ([0-9a-f]{48})/.exec(first) ?? [];
    const args = ["some.example.net", "TXT", "+ignore"];
    const without = await dig(fresh.port, ...args, "+nocookie");
    const strange = await dig(fresh.port, ...args, "+cookie=0123456789abcdef");
    const known = await dig(fresh.port, ...args, `+cookie=${cookie}`);
    expect([without, strange, known].map((text) => text.includes("flags: qr aa tc"))).toEqual([
      true,
      true,
      false,
    ]);
    expect(known).toContain("3333333333");
  });

  test("and for those who have shown by TCP that they are where they say", async () => {
    await using fresh = await serving();
    expect((await ask(fresh, "some.example.net.", TYPE.TXT, edns(1232))).flags & FLAG.TC).toBe(
      FLAG.TC,
    );
    await ask(fresh, "some.example.net.", TYPE.TXT, {}, "tcp");
    expect((await ask(fresh, "some.example.net.", TYPE.TXT, edns(1232))).flags & FLAG.TC).toBe(0);
  });
});

describe("what is no question", () => {
  const header = (...rest: number[]): Uint8Array => Uint8Array.of(0x12, 0x34, ...rest);
  test.each([
    { story: "eleven bytes", bytes: header(0, 0, 0, 1, 0, 0, 0, 0, 0), rcode: undefined },
    { story: "an answer", bytes: header(0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0), rcode: undefined },
    { story: "no question in it", bytes: header(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), rcode: 1 },
    { story: "a name that goes on", bytes: header(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 1), rcode: 1 },
    {
      story: "a pointer",
      bytes: header(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1),
      rcode: 1,
    },
  ])("$story", async ({ bytes, rcode }) => {
    const reply = await new Promise<Uint8Array | undefined>((resolve) => {
      const socket = createSocket("udp4");
      const wait = setTimeout(() => (socket.close(), resolve(undefined)), 200);
      socket.on("message", (message) => {
        clearTimeout(wait);
        socket.close();
        resolve(message);
      });
      socket.send(bytes, server.port, "127.0.0.1");
    });
    expect(reply && (reply[3] as number) & 15).toBe(rcode);
    expect(reply?.length ?? 0).toBeLessThanOrEqual(12);
  });
});

describe("TCP", () => {
  const framed = (name: string, id: number): Uint8Array => {
    const question = { name: parseName(name) as Uint8Array, type: TYPE.A, class: CLASS.IN };
    const bytes = encodeMessage({
      id,
      flags: 0,
      opcode: 0,
      rcode: 0,
      questions: [question],
      answers: [],
      authorities: [],
      additionals: [],
    }) as Uint8Array;
    return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes]);
  };

  /** The IDs that are answered to what is written, and whether the server closed. */
  function talk(
    { port }: Pick<Serving, "port">,
    pieces: readonly Uint8Array[],
    wanted: number,
    ms = 1000,
  ): Promise<{ ids: number[]; closed: boolean }> {
    return new Promise((resolve) => {
      let heard = Buffer.alloc(0);
      const ids: number[] = [];
      const socket = connect(port, "127.0.0.1");
      for (const [i, piece] of pieces.entries()) setTimeout(() => socket.write(piece), 5 * i);
      const over = (closed: boolean): void => {
        clearTimeout(wait);
        socket.destroy();
        resolve({ ids, closed });
      };
      const wait = setTimeout(() => over(false), ms);
      socket.on("data", (bytes: Buffer) => {
        heard = Buffer.concat([heard, bytes]);
        while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
          ids.push(heard.readUInt16BE(2));
          heard = heard.subarray(2 + heard.readUInt16BE(0));
        }
        if (ids.length === wanted) over(false);
      });
      socket.on("close", () => over(true));
      socket.on("error", () => {});
    });
  }

  test("many questions at once are all answered", async () => {
    const all = Array.from({ length: 500 }, (_, i) => framed("www.example.net.", i));
    const { ids } = await talk(server, [Buffer.concat(all)], 500);
    expect(ids).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  test("a question in single bytes", async () => {
    const bytes = framed("www.example.net.", 7);
    const { ids } = await talk(
      server,
      [...bytes].map((byte) => Uint8Array.of(byte)),
      1,
    );
    expect(ids).toEqual([7]);
  });

  test("one and a half, then the other half", async () => {
    const [a, b] = [framed("www.example.net.", 1), framed("alias.example.net.", 2)];
    const { ids } = await talk(server, [Buffer.concat([a, b.subarray(0, 20)]), b.subarray(20)], 2);
    expect(ids).toEqual([1, 2]);
  });

  test("who speaks something else is shown out", async () => {
    const { ids, closed } = await talk(server, [Buffer.from("GET / HTTP/1.0\r\n\r\n")], 1);
    expect([ids, closed]).toEqual([[], false]); // "GE" is a length: it waits for the rest
    expect((await talk(server, [Uint8Array.of(0, 3, 1, 2, 3)], 1)).closed).toBe(true);
  });

  test("who is silent is shown out, and one byte now and then is silence", async () => {
    await using short = await serving({ tcp: { idle: "300ms" } });
    const drip = [...framed("www.example.net.", 9)].map((byte) => Uint8Array.of(byte));
    const began = performance.now();
    const slow = await talk(short, drip.slice(0, 3), 1, 3000);
    expect(slow).toEqual({ ids: [], closed: true });
    expect(performance.now() - began).toBeLessThan(2500);
  });

  test("the longest idle leaves when there is no more room", async () => {
    await using small = await serving({ tcp: { max_connections: 2 } });
    const first = talk(small, [framed("www.example.net.", 1)], 2, 3000);
    await Bun.sleep(1200); // idle for long enough to be asked to go
    const others = await Promise.all([
      talk(small, [framed("www.example.net.", 2)], 1),
      talk(small, [framed("www.example.net.", 3)], 1),
    ]);
    expect(others.flatMap(({ ids }) => ids)).toEqual([2, 3]);
    expect(await first).toEqual({ ids: [1], closed: true });
  });

  withKdig("kdig keeps it open", async () => {
    const text = await kdig(
      server.port,
      "+tcp",
      "+keepopen",
      "www.example.net",
      "alias.example.net",
      "+short",
    );
    expect(text).toContain("192.0.2.10");
  });
});

describe("a reload", () => {
  test("puts what the files have now in force; the answers kept ready go", async () => {
    await using own = await serving();
    const first = await ask(own, "www.example.net.", TYPE.A);
    expect(first.answers.length).toBe(2);
    await own.write("example.net", ZONE.replace("www A 192.0.2.11", ""));
    await own.reload();
    expect((await ask(own, "www.example.net.", TYPE.A)).answers.length).toBe(1);
  });

  test("a broken file leaves the zone as it was and says where", async () => {
    await using own = await serving();
    await own.write("example.net", ZONE.replace("www A 192.0.2.11", "www A 192.0.2"));
    await own.reload();
    expect((await ask(own, "www.example.net.", TYPE.A)).answers.length).toBe(2);
    const status = (await own.instance.actions?.["status"]?.run({})) as {
      ns: { zones: { state: string; problems: string[] }[] };
    };
    const [zone] = status.ns.zones;
    expect(zone?.state).toBe("broken");
    expect(zone?.problems[0]).toMatch(/example\.net\.zone:10:7: .*192\.0\.2/);
  });

  test("a new zone that is broken is refused, with the place; what was before goes on", async () => {
    await using own = await serving();
    const file = await own.write("example.com", "@ SOA x y 1 2 3 4\n");
    await expect(own.reload({ zones: { "example.com": { file } } })).rejects.toThrow(
      `dns.ns.zones: ${file}:1:`,
    );
    expect((await ask(own, "www.example.net.", TYPE.A)).answers.length).toBe(2);
  });

  test("a process that starts while a file is broken has the zone of before", async () => {
    await using own = await serving();
    const kept = `${own.host.state}/dns/zones/example.net`;
    for (let i = 0; i < 100 && !(await Bun.file(kept).exists()); i++) await Bun.sleep(10);
    const broken = { "example.net": "nonsense\n" };
    await using again = await serving({}, broken, { state: own.host.state });
    expect((await ask(again, "www.example.net.", TYPE.A)).answers.length).toBe(2);
    await expect(serving({}, broken)).rejects.toThrow(
      /^dns\.ns\.zones: .*example\.net\.zone:1:\d+: /,
    );
  });

  test("connections go on, with the new answers", async () => {
    await using own = await serving();
    const heard: number[] = [];
    const socket = connect(own.port, "127.0.0.1");
    socket.on("data", (bytes: Buffer) => heard.push(bytes[9] as number)); // records in the answer
    const question = { name: parseName("www.example.net.") as Uint8Array, type: 1, class: 1 };
    const message = encodeMessage({
      id: 1,
      flags: 0,
      opcode: 0,
      rcode: 0,
      questions: [question],
      answers: [],
      authorities: [],
      additionals: [],
    }) as Uint8Array;
    const bytes = Buffer.concat([Uint8Array.of(0, message.length), message]);
    socket.write(bytes);
    await Bun.sleep(50);
    await own.write("example.net", ZONE.replace("www A 192.0.2.11", ""));
    await own.reload();
    socket.write(bytes);
    await Bun.sleep(50);
    socket.destroy();
    expect(heard).toEqual([2, 1]);
  });
});

test("metrics tell types, rcodes and transports", async () => {
  await using own = await serving();
  await ask(own, "www.example.net.", TYPE.A);
  await ask(own, "www.example.net.", TYPE.MX, {}, "tcp");
  await ask(own, "nowhere.example.net.", TYPE.A);
  const { families } = own.host.metrics.snapshot();
  const series = (name: string) =>
    families
      .find((f) => f.name === name)
      ?.series.map(({ labels, value }) => [...Object.values(labels), value].join(" "))
      .toSorted();
  expect(series("tern_dns_questions_total")).toEqual(["ns A 2", "ns MX 1"]);
  expect(series("tern_dns_answers_total")).toEqual([
    "NOERROR ns tcp 1",
    "NOERROR ns udp 1",
    "NXDOMAIN ns udp 1",
  ]);
  expect(RCODE.NXDOMAIN).toBe(3);
});
