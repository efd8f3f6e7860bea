import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import { askDns } from "../../../../src/net/dns-client.ts";
import { digestOf, KeptZone } from "../../../../src/services/dns/secondary/kept-zone.ts";
import type { ServerStatus } from "../../../../src/services/dns/server-status.ts";
import { appendTsig } from "../../../../src/services/dns/signatures.ts";
import { RecordPacker } from "../../../../src/services/dns/transfer/packed-records.ts";
import { decodeMessage, type Message } from "../../../../src/wire/dns/message.ts";
import { type TsigKey, tsigKey, TsigSigner } from "../../../../src/wire/dns/tsig.ts";
import { OPCODE, RCODE, showRcode, TYPE } from "../../../../src/wire/dns/types.ts";
import { FLAG } from "../../../../src/wire/dns/writer.ts";
import { memoryLog } from "../../../fake/log.ts";
import { temporary } from "../../../fake/temporary.ts";
import { dig, type Serving, serving } from "../serving.ts";
import { type FakePrimary, fakePrimary, saying } from "./fake-primary.ts";
import { reaches, serialAt } from "./primaries.ts";
import { a, ns, part, soa, wire } from "./records.ts";

const SECRET = new Uint8Array(32).fill(7);
const KEY = tsigKey("key1", "hmac-sha256", SECRET) as TsigKey;
const keys = { key1: { secret: Buffer.from(SECRET).toString("base64") } };

const version = (serial: number) =>
  saying([soa(serial), ns(), a("www.example.net", serial), soa(serial)]);

/** `example.net` from `primary`, of which `more` is in the config. */
function secondaryOf({ port }: FakePrimary, more: object = {}) {
  return { zones: { "example.net": { primaries: `127.0.0.1:${port}`, ...more } } };
}

/** Tell a server that there is news; what it says to that. */
async function notify(
  port: number,
  serial: number,
  key?: TsigKey,
  more: Partial<Message> = {},
): Promise<string> {
  const message = part(7, TYPE.SOA, [soa(serial)], {
    flags: FLAG.AA,
    opcode: OPCODE.NOTIFY,
    ...more,
  });
  const bytes = new Uint8Array(2048);
  bytes.set(message);
  const record = key && new TsigSigner(key).sign(message, Math.floor(Date.now() / 1000));
  const length = record ? appendTsig(record, bytes, 0, message.length) : message.length;
  const at = { host: "127.0.0.1", port, transport: "udp" } as const;
  const answer = decodeMessage(await askDns(bytes.slice(0, length), at, 2000));
  return showRcode(answer?.rcode ?? -1);
}

/** Put a version of the zone into a state directory, as if it had been fetched just now. */
async function keep(state: string, serial: number): Promise<void> {
  const packer = new RecordPacker();
  for (const record of [soa(serial), ns(), a("www.example.net", serial)]) packer.add(record);
  const packed = packer.finish();
  const now = Date.now();
  const kept = new KeptZone(join(state, "dns", "ns", "secondary"), "example.net");
  const note = { checkedAt: now, takenAt: now, primary: "", digest: digestOf(packed) };
  await kept.keep(packed, note);
}

/** Wait until a primary has been asked for its serial so often. */
async function polled(primary: FakePrimary, times: number): Promise<void> {
  for (let i = 0; primary.polls < times; i++) {
    if (i === 100) throw new Error(`asked ${primary.polls} times instead of ${times}`);
    await Bun.sleep(50);
  }
}

async function status({ instance }: Serving) {
  const all = (await instance.actions?.["status"]?.run({})) as Record<string, ServerStatus>;
  return all["ns"]?.zones[0];
}

test("before it has come: SERVFAIL that says why, and no transfer; then it is there", async () => {
  await using primary = await fakePrimary();
  await using tern = await serving(
    { ...secondaryOf(primary, { transfer: "127.0.0.1" }), keys },
    {},
  );
  const before = await dig(tern.port, "www.example.net", "A");
  expect(before).toContain("SERVFAIL");
  expect(before).toContain("EDE: 14 (Not Ready): (the zone has not come yet)");
  expect(await dig(tern.port, "example.net", "AXFR")).toContain("Transfer failed");
  expect(await status(tern)).toMatchObject({ state: "waiting", serial: 0, loadedAt: null });

  primary.answers = version(1);
  await reaches(tern.port, 1);
  expect(await dig(tern.port, "+short", "www.example.net", "A")).toBe("192.0.2.1\n");
  expect(await dig(tern.port, "nothere.example.net", "A")).toContain("NXDOMAIN");
  expect(await dig(tern.port, "+short", "+tcp", "example.net", "AXFR")).toContain("192.0.2.1");
  expect(await status(tern)).toMatchObject({ state: "good", serial: 1, records: 3, file: null });
});

describe("a notification", () => {
  test.each([
    { story: "is followed", more: {}, key: undefined, message: {}, says: "NOERROR", comes: true },
    {
      story: "signed by the zone's key is followed",
      more: { tsig: "key1" },
      key: KEY,
      message: {},
      says: "NOERROR",
      comes: true,
    },
    {
      story: "unsigned, where there is a key, is not",
      more: { tsig: "key1" },
      key: undefined,
      message: {},
      says: "REFUSED",
      comes: false,
    },
    {
      story: "about another zone is not",
      more: {},
      key: undefined,
      message: {
        questions: [{ name: wire("example.org"), type: TYPE.SOA, class: 1 }],
        answers: [],
      },
      says: "NOTAUTH",
      comes: false,
    },
    {
      story: "about another type is not",
      more: {},
      key: undefined,
      message: { questions: [{ name: wire("example.net"), type: TYPE.A, class: 1 }], answers: [] },
      says: "NOTIMP",
      comes: false,
    },
    {
      story: "of what we have is answered, and nobody is asked",
      more: {},
      key: undefined,
      message: { answers: [soa(1)] },
      says: "NOERROR",
      comes: false,
    },
    {
      story: "without a serial is followed",
      more: {},
      key: undefined,
      message: { answers: [] },
      says: "NOERROR",
      comes: true,
    },
  ])(
    "$story",
    async ({ more, key, message, says, comes }) => {
      await using primary = await fakePrimary();
      await using state = await temporary();
      await keep(state.path, 1);
      await using tern = await serving(
        { ...secondaryOf(primary, more), keys },
        {},
        { state: state.path },
      );
      await polled(primary, 1); // as after every start
      expect(await notify(tern.port, 2, key, message)).toBe(says);
      if (comes) return await polled(primary, 2);
      await Bun.sleep(1500);
      expect(primary.polls).toBe(1);
    },
    15_000,
  );

  test("by who is no primary is refused", async () => {
    await using primary = await fakePrimary();
    const zones = { "example.net": { primaries: `127.0.0.9:${primary.port}` } };
    await using tern = await serving({ zones }, {});
    expect(await notify(tern.port, 2)).toBe("REFUSED");
  });

  test("to a worker that does not fetch reaches the one that does, and both serve what comes", async () => {
    await using primary = await fakePrimary();
    await using state = await temporary();
    primary.answers = version(1);
    const config = secondaryOf(primary);
    const share = { state: state.path };
    await using first = await serving(config, {}, { ...share, worker: { index: 0, count: 2 } });
    await using second = await serving(config, {}, { ...share, worker: { index: 1, count: 2 } });
    await Promise.all([reaches(first.port, 1), reaches(second.port, 1)]);
    primary.serial = 2;
    primary.answers = version(2);
    expect(await notify(second.port, 2)).toBe("NOERROR");
    await Promise.all([reaches(first.port, 2), reaches(second.port, 2)]);
    expect(await dig(second.port, "+short", "www.example.net", "A")).toBe("192.0.2.2\n");
  }, 15_000);
});

describe("what comes is wrong", () => {
  const www = a("www.example.net", 2);
  test.each([
    { story: "cut off", answers: saying([soa(2), ns(), www]), why: "the transfer broke off" },
    {
      story: "a stranger's name",
      answers: saying([soa(2), ns(), a("example.org", 1), soa(2)]),
      why: "example.org. is not in the zone",
    },
    {
      story: "another end",
      answers: saying([soa(2), ns(), www, soa(3)]),
      why: "it does not end with the SOA it began with",
    },
    {
      story: "older than what we have",
      answers: saying([soa(1), ns(), soa(1)]),
      why: "it gives serial 1, which is not newer",
    },
    {
      story: "a zone nobody can serve",
      answers: saying([soa(2), www, soa(2)]),
      why: "the zone is broken: example.net. NS is missing",
    },
    {
      story: "noise",
      answers: () => [new Uint8Array(40).fill(0xc0)],
      why: "what came is no DNS message",
    },
    { story: "nothing", answers: () => [], why: "the transfer broke off" },
    {
      story: "refused",
      answers: ({ id }: Message) => [part(id, TYPE.AXFR, [], { rcode: RCODE.REFUSED })],
      why: "it says REFUSED",
    },
  ])(
    "$story: the zone of before stays, and the log says why",
    async ({ answers, why }) => {
      await using primary = await fakePrimary();
      const log = memoryLog();
      primary.answers = version(1);
      await using tern = await serving(secondaryOf(primary), {}, { log });
      await reaches(tern.port, 1);
      primary.serial = 2;
      primary.answers = answers;
      await notify(tern.port, 2);
      for (let i = 0; i < 100 && (await status(tern))?.state !== "stale"; i++) await Bun.sleep(30);
      expect(await status(tern)).toMatchObject({ state: "stale", serial: 1 });
      expect((await status(tern))?.problems).toEqual([
        `example.net: 127.0.0.1:${primary.port}: ${why}`,
      ]);
      expect(log.lines).toContain("warn a zone's primaries do not give it");
      expect(await dig(tern.port, "+short", "www.example.net", "A")).toBe("192.0.2.1\n");

      primary.answers = version(2);
      await notify(tern.port, 2);
      await reaches(tern.port, 2);
    },
    15_000,
  );

  test("a difference that does not fit: the whole zone is asked for", async () => {
    await using primary = await fakePrimary();
    primary.answers = version(1);
    await using tern = await serving(secondaryOf(primary), {});
    await reaches(tern.port, 1);
    primary.serial = 2;
    const wrong = saying([soa(2), soa(1), a("never.example.net", 1), soa(2), soa(2)]);
    primary.answers = (question) =>
      (question.questions[0]?.type === TYPE.IXFR ? wrong : version(2))(question);
    await notify(tern.port, 2);
    await reaches(tern.port, 2);
    expect(primary.asked).toEqual([TYPE.AXFR, TYPE.IXFR, TYPE.AXFR]);
  });
});

test("one primary is gone: the other one is asked", async () => {
  await using primary = await fakePrimary();
  primary.answers = version(1);
  const primaries = ["127.0.0.9:9", `127.0.0.1:${primary.port}`];
  await using tern = await serving({ zones: { "example.net": { primaries } } }, {});
  await reaches(tern.port, 1);
});

test("it survives a restart without its primary", async () => {
  await using state = await temporary();
  const primary = await fakePrimary();
  primary.answers = version(1);
  {
    await using tern = await serving(secondaryOf(primary), {}, { state: state.path });
    await reaches(tern.port, 1);
  }
  await primary[Symbol.asyncDispose]();
  await using tern = await serving(secondaryOf(primary), {}, { state: state.path });
  expect(await serialAt(tern.port)).toBe(1);
});

test("a zone has a file or primaries, and not both", () => {
  expect(serving({ zones: { "example.net": {} } }, {})).rejects.toThrow(
    "expected `file` or `primaries`",
  );
  const both = { file: "x", primaries: "127.0.0.1" };
  expect(serving({ zones: { "example.net": both } }, {})).rejects.toThrow("one of them");
});
