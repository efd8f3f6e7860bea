/** What others' programs see of us: TLS, transfers, floods, and what operators are told. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { connect } from "node:tls";

import { noCertificates } from "../../../src/net/certificates.ts";
import { placeholder } from "../../../src/net/tls/self-signed.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/dns/message.ts";
import { parseName } from "../../../src/wire/dns/name.ts";
import { CLASS, OPCODE, TYPE } from "../../../src/wire/dns/types.ts";
import { FLAG } from "../../../src/wire/dns/writer.ts";
import { freePort } from "../../fake/ports.ts";
import { needs } from "../../sys/needs.ts";
import { dig, kdig, said, type Serving, serving, ZONE } from "./serving.ts";

const withDig = needs(Bun.which("dig") !== null, "dig (bind9-dnsutils)");
const withKdig = needs(Bun.which("kdig") !== null, "kdig (knot-dnsutils)");
const withPerf = needs(Bun.which("dnsperf") !== null, "dnsperf");
const hasIp6 = await Bun.file("/proc/net/if_inet6").exists();

const certificate = await placeholder("ns.example.net", Date.now());
const certificates = { ...noCertificates, find: () => certificate };

const SECRET = "c2VjcmV0IG9mIHR3ZW50eSBieXRlcw==";
const KEYS = { key1: { secret: SECRET }, other: { secret: "b3RoZXI=" } };
const KEY1 = `hmac-sha256:key1:${SECRET}`;
const OTHER = "hmac-sha256:other:b3RoZXI=";

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await done()); i++) await Bun.sleep(10);
  expect(await done()).toBe(true);
}

function question(name: string, id: number, opcode = 0): Uint8Array {
  const questions = [{ name: parseName(name) as Uint8Array, type: TYPE.A, class: CLASS.IN }];
  const empty = { answers: [], authorities: [], additionals: [] };
  return encodeMessage({ id, flags: 0, opcode, rcode: 0, questions, ...empty }) as Uint8Array;
}

describe("DNS over TLS", () => {
  let server: Serving;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const tls = { listen: `127.0.0.1:${port}` };
    server = await serving({ tls, tcp: { idle: "500ms" } }, undefined, { certificates });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  withKdig("kdig is answered, padded for who pads", async () => {
    const text = await kdig(port, "+tls", "+padding=128", "www.example.net");
    expect(text).toContain("192.0.2.10");
    expect(text).toContain("PADDING");
    expect(text).toContain("Received 468 B");
    expect(await kdig(port, "+tls", "+nopadding", "www.example.net")).not.toContain("PADDING");
  });

  test("many questions in one connection, which is closed when it is idle", async () => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const ids: number[] = [];
    let heard = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
        ids.push(heard.readUInt16BE(2));
        heard = heard.subarray(2 + heard.readUInt16BE(0));
      }
    });
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    for (let id = 0; id < 300; id++) {
      const bytes = question("www.example.net.", id);
      socket.write(Buffer.concat([Uint8Array.of(0, bytes.length), bytes]));
    }
    await until(() => ids.length === 300);
    expect(ids).toEqual(Array.from({ length: 300 }, (_, i) => i));
    await closed;
  });

  withKdig("a zone goes over TLS as it does over TCP (RFC 9103)", async () => {
    const at = await freePort();
    const zones = { "example.net": { transfer: "127.0.0.1", tsig: "key1" } };
    const tls = { listen: `127.0.0.1:${at}` };
    await using own = await serving({ tls, zones, keys: KEYS }, undefined, { certificates });
    const text = await kdig(at, "-d", "+tls", "-y", KEY1, "example.net", "AXFR");
    expect(text).toContain("TLS, received certificate");
    expect(text).toContain("18 records");
    expect(await kdig(at, "+tls", "example.net", "AXFR")).toContain("REFUSED");
    await own.write("example.net", ZONE.replace("hostmaster 7", "hostmaster 8"));
    await own.reload();
    const changes = await kdig(at, "-y", KEY1, "+tls", "example.net", "IXFR=7");
    expect(changes).toContain("4 records");
  });

  test("who speaks no TLS is shown out", async () => {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data() {}, open: (s) => void s.write("hello, hello, hello\r\n\r\n") },
    });
    await until(() => socket.readyState <= 0);
  });
});

describe("transfers", () => {
  let server: Serving;
  beforeAll(async () => {
    const zones = {
      "example.net": { transfer: "127.0.0.1", tsig: "key1" },
      "example.com": { transfer: "127.0.0.1" },
    };
    server = await serving(
      { zones, keys: KEYS },
      { "example.net": ZONE, "example.com": ZONE, "example.org": ZONE },
    );
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const rows = [
    { story: "to who is allowed", args: ["example.com", "AXFR"], has: true },
    { story: "to nobody by default", args: ["example.org", "AXFR"], has: false },
    { story: "only with the key, where there is one", args: ["example.net", "AXFR"], has: false },
    { story: "with it", args: ["-y", KEY1, "example.net", "AXFR"], has: true },
    { story: "not with another", args: ["-y", OTHER, "example.net", "AXFR"], has: false },
    { story: "not of what is no zone", args: ["www.example.com", "AXFR"], has: false },
    { story: "as differences, which are all of it", args: ["example.com", "IXFR=1"], has: true },
  ];
  for (const { story, args, has } of rows)
    withDig(story, async () => {
      const text = await dig(server.port, ...args);
      expect(text.includes("XFR size: 18 records")).toBe(has); // 17, and the SOA again
      expect(text.includes("Transfer failed")).toBe(!has);
      expect(text).not.toContain("Couldn't verify signature");
    });

  withDig("of what the client has already, only the SOA", async () => {
    expect(await dig(server.port, "example.com", "IXFR=7")).toContain("XFR size: 1 records");
  });

  withDig("a large zone, in many signed messages", async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `h${i} A 10.0.${i >> 8}.${i & 255}`);
    const zones = { "example.net": { transfer: "127.0.0.1", tsig: "key1" } };
    await using own = await serving(
      { zones, keys: KEYS },
      { "example.net": `${ZONE}\n${many.join("\n")}\n` },
    );
    const text = await dig(own.port, "-y", KEY1, "example.net", "AXFR");
    expect(text).toMatch(/XFR size: 200\d\d records/);
    expect(text).not.toContain("Couldn't verify");
    expect(text.match(/\sA\s+10\.0\./g)?.length).toBe(20_000);
  });

  test("a change of the serial is told to the others, until they have heard", async () => {
    const other = createSocket("udp4");
    const heard: { opcode: number; serial: number; signed: boolean }[] = [];
    other.on("message", (bytes, from) => {
      const message = decodeMessage(new Uint8Array(bytes));
      const soa = message?.answers[0]?.rdata ?? new Uint8Array(20);
      const serial = new DataView(soa.buffer, soa.byteOffset + soa.length - 20).getUint32(0);
      const signed = message?.additionals.at(-1)?.type === TYPE.TSIG;
      heard.push({ opcode: message?.opcode ?? -1, serial, signed });
      const answer = Uint8Array.from(bytes.subarray(0, 12));
      answer[2] = 0x80 | (OPCODE.NOTIFY << 3) | (FLAG.AA >>> 8);
      answer.fill(0, 4);
      other.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => other.bind(0, "127.0.0.1", resolve));
    const notify = `127.0.0.1:${other.address().port}`;
    const keys = { zones: { "example.net": { notify, tsig: "key1" } }, keys: KEYS };
    await using own = await serving(keys);
    await until(() => heard.length === 1);
    await own.reload();
    await own.write("example.net", ZONE.replace("hostmaster 7", "hostmaster 8"));
    await own.reload();
    await until(() => heard.length === 2);
    await Bun.sleep(50);
    other.close();
    expect(heard).toEqual([
      { opcode: OPCODE.NOTIFY, serial: 7, signed: true },
      { opcode: OPCODE.NOTIFY, serial: 8, signed: true },
    ]);
  });
});

describe("signed questions", () => {
  let server: Serving;
  beforeAll(async () => {
    server = await serving({ keys: KEYS, chaos: { version: "1.2.3" } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  const ask = (key: string, ...more: string[]): Promise<string> =>
    dig(server.port, "-y", key, ...(more.length > 0 ? more : ["www.example.net", "A"]));

  const rows = [
    { story: "have signed answers", key: KEY1, says: ["status: NOERROR", "192.0.2.10"] },
    {
      story: "no such name, too",
      key: KEY1,
      q: ["no.example.net", "A"],
      says: ["status: NXDOMAIN"],
    },
    {
      story: "what is not ours, too",
      key: KEY1,
      q: ["example.com", "A"],
      says: ["status: REFUSED"],
    },
    { story: "and the version", key: KEY1, q: ["version.bind", "TXT", "CH"], says: ['"1.2.3"'] },
    { story: "a wrong secret", key: "hmac-sha256:key1:AAAA", says: ["NOTAUTH", "BADSIG"] },
    { story: "an unknown key", key: "hmac-sha256:none:AAAA", says: ["NOTAUTH", "BADKEY"] },
    { story: "another algorithm", key: `hmac-sha512:key1:${SECRET}`, says: ["NOTAUTH", "BADKEY"] },
  ];
  for (const { story, key, q = [], says } of rows)
    withDig(story, async () => {
      const text = await ask(key, ...q);
      for (const word of says) expect(text).toContain(word);
      if (key === KEY1) expect(text).not.toContain("Couldn't verify signature");
    });
});

describe("a flood over UDP", () => {
  /** What `count` questions at once from one socket are answered: whole, cut, or not at all. */
  async function flood(port: number, count: number) {
    const socket = createSocket("udp4");
    let whole = 0;
    let cut = 0;
    let bytes = 0;
    socket.on("message", (message) => {
      bytes += message.length;
      if ((message[2] as number) & (FLAG.TC >>> 8)) cut++;
      else whole++;
    });
    const asked = question("www.example.net.", 1);
    for (let i = 0; i < count; i++)
      await new Promise((resolve) => socket.send(asked, port, "127.0.0.1", resolve));
    await Bun.sleep(100);
    socket.close();
    return { whole, cut, lost: count - whole - cut, gain: bytes / (count * asked.length) };
  }

  test("is answered in part with rrl, and gives the forger less than he spends", async () => {
    await using server = await serving({ rrl: { rate: "50/s", slip: 2 } });
    const { whole, cut, lost, gain } = await flood(server.port, 400);
    expect(whole).toBeGreaterThanOrEqual(45); // not all at the same moment
    expect(whole).toBeLessThan(120);
    expect(Math.abs(cut - lost)).toBeLessThanOrEqual(2);
    expect(gain).toBeLessThan(1.2);
  });

  test("is answered whole without, or from where it is no flood", async () => {
    await using server = await serving();
    expect(await flood(server.port, 200)).toMatchObject({ whole: 200, cut: 0 });
    await using exempt = await serving({ rrl: { rate: "1/s", exempt: "127.0.0.0/8" } });
    expect(await flood(exempt.port, 200)).toMatchObject({ whole: 200, cut: 0 });
  });
});

describe("listeners", () => {
  needs(hasIp6, "IPv6")("every address of both families on one socket", async () => {
    const port = await freePort();
    await using server = await serving({ listen: `:${port}` });
    for (const at of ["127.0.0.1", "127.0.0.2", "::1"]) {
      const text = await said("dig", `@${at}`, "-p", String(port), "www.example.net", "+tries=1");
      expect(text).toContain("192.0.2.10"); // from there, or dig would not have it
      const tcp = await said("dig", `@${at}`, "-p", String(port), "www.example.net", "+tcp");
      expect(tcp).toContain("192.0.2.10");
    }
    expect(server.port).not.toBe(port);
  });
});

test("the query log tells who asked what and was answered how", async () => {
  const file = `/tmp/tern-queries-${process.pid}.log`;
  await using server = await serving({ query_log: { file } });
  const socket = createSocket("udp4");
  const answered = new Promise<void>((resolve) => socket.on("message", () => resolve()));
  socket.send(question("wWw.example.net.", 1), server.port, "127.0.0.1");
  await answered;
  socket.close();
  await server.instance.stop(AbortSignal.timeout(100)); // what waits is written
  const [line] = (await Bun.file(file).text()).trim().split("\n");
  await Bun.file(file).delete();
  expect(JSON.parse(line ?? "")).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    client: "127.0.0.1",
    transport: "udp",
    name: "www.example.net.",
    type: "A",
    rcode: "NOERROR",
    bytes: 65,
  });
});

withPerf(
  "no question is lost while a zone of 20 000 records is read again",
  async () => {
    const hosts = (octet: number): string =>
      Array.from({ length: 20_000 }, (_, i) => `h${i} A 10.${octet}.${i >> 8}.${i & 255}`).join(
        "\n",
      );
    await using server = await serving({}, { "example.net": `${ZONE}\n${hosts(1)}\n` });
    const questions = `${server.dir}/questions`;
    await Bun.write(
      questions,
      Array.from({ length: 1000 }, (_, i) => `h${i}.example.net A\n`).join(""),
    );
    const at = ["-s", "127.0.0.1", "-p", String(server.port)];
    const load = ["-d", questions, "-l", "2", "-Q", "5000", "-t", "1"];
    const running = said("dnsperf", ...at, ...load);
    for (let i = 2; i < 5; i++) {
      await Bun.sleep(300);
      await server.write("example.net", `${ZONE}\n${hosts(i)}\n`);
      await server.reload();
    }
    const text = await running;
    expect(text).toMatch(/Queries lost: +0 /);
    expect(text).toMatch(/Response codes: +NOERROR \d+ \(100.00%\)/);
  },
  20_000,
);
