import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import fc from "fast-check";

import { blocksOf } from "../../../src/services/tunnel/legacy/blocks.ts";
import { squeezers } from "../../../src/services/tunnel/legacy/squeezers.ts";
import { bodies, type Squeeze } from "../../../src/wire/3wdd/bodies.ts";
import { bodyCipher, type CipherName, CIPHERS } from "../../../src/wire/3wdd/ciphers.ts";
import { emitFrame, Inbox } from "../../../src/wire/3wdd/inbox.ts";
import {
  ClientLogin,
  ServerLogin,
  sessionKey,
  type Step,
  WELCOME,
} from "../../../src/wire/3wdd/login.ts";
import vectors from "./vectors.json";

const md5 = (text: string): string => createHash("md5").update(text, "latin1").digest("hex");
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const key = Buffer.from(vectors.key_ascii_hex, "latin1").toString("latin1");
const dice = (count: number): Uint8Array => bytesOf(count === 16 ? vectors.iv16 : vectors.iv8);
const make = (name: CipherName, squeeze: Squeeze, mtu = 1380) =>
  bodies(
    { cipher: bodyCipher(name, (cipher) => blocksOf(cipher, key), dice), squeeze, mtu },
    squeezers,
  );

describe("what 3wdd wrote", () => {
  const packet = bytesOf(vectors.packet);
  test.each([
    ...CIPHERS.map((name) => ({ name, squeeze: "off" as const, frame: vectors.frames[name] })),
    { name: "off" as const, squeeze: "zlib" as const, frame: vectors.frames["off,zlib(level6)"] },
  ])("$name, packed by $squeeze", ({ name, squeeze, frame }) => {
    const one = make(name, squeeze);
    // Programs that deflate need not agree on the bytes, only on what they mean.
    if (squeeze === "off") expect(hex(emitFrame(one.emit(packet)))).toBe(frame);
    const inbox = new Inbox();
    inbox.put(bytesOf(frame));
    const body = inbox.frame();
    expect(hex(body && one.parse(body))).toBe(vectors.packet);
    expect(inbox.isEmpty).toBe(true);
  });

  test("the key", () => {
    expect(sessionKey(vectors.session, vectors.token, md5)).toBe(key);
  });
});

describe("bodies", () => {
  const rows = CIPHERS.flatMap((name) =>
    (["off", "zlib", "lzo"] as const).map((squeeze) => ({ name, squeeze })),
  );
  test.each(rows)("what $name and $squeeze make is read again", ({ name, squeeze }) => {
    const one = make(name, squeeze);
    const packets = fc
      .uint8Array({ minLength: 19, maxLength: 300 })
      .map((rest) => Uint8Array.of(0x45, ...rest));
    fc.assert(
      fc.property(packets, (packet) => {
        expect(hex(one.parse(one.emit(packet)))).toBe(hex(packet));
      }),
      { numRuns: 30 },
    );
  });

  test.each(rows)("nonsense does no harm to $name and $squeeze", ({ name, squeeze }) => {
    const one = make(name, squeeze);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        const packet = one.parse(body);
        expect(packet === undefined || packet.length <= 65_535).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("what says that it is longer than any packet is not unpacked", () => {
    const one = make("off", "off");
    expect(one.parse(Uint8Array.of(0xf0, 1, 0, 0, 0, 18, 65, 17, 0, 0))).toBeUndefined();
    expect(one.parse(squeezers.deflate(new Uint8Array(70_000)))).toBeUndefined();
  });

  test("packets that nearly fill the device are left as they are", () => {
    const one = make("off", "zlib", 400);
    expect(one.emit(new Uint8Array(300)).length).toBe(300);
    expect(one.emit(new Uint8Array(299)).length).toBeLessThan(40);
  });
});

describe("frames", () => {
  test("come out as they went in, wherever the stream was cut", () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 20 });
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 1500 }), (sent, cut) => {
        const stream = Buffer.concat(sent.map((body) => emitFrame(body) ?? new Uint8Array()));
        const inbox = new Inbox();
        const got: string[] = [];
        for (let at = 0; at < stream.length; at += cut) {
          inbox.put(stream.subarray(at, at + cut));
          for (let body = inbox.frame(); body !== undefined; body = inbox.frame())
            got.push(hex(body));
        }
        expect(got).toEqual(sent.map(hex));
      }),
    );
  });

  test("none is longer than its length can say", () => {
    expect(emitFrame(new Uint8Array(65_536))).toBeUndefined();
  });
});

describe("the login", () => {
  const wish = { name: vectors.session, server: vectors.server_ip, port: 9000, redirect: true };
  const said = (step: Step): string => (step.kind === "say" ? hex(step.bytes) : step.kind);

  test("of a client, byte by byte as 3wdd wrote it", () => {
    const inbox = new Inbox();
    const login = new ClientLogin(wish, key, md5);
    expect(said(login.step(inbox))).toBe(vectors.negotiation_client_to_server_1);
    for (const byte of bytesOf(vectors.negotiation_server_to_client_1)) {
      expect(login.step(inbox).kind).toBe("waiting");
      inbox.put(Uint8Array.of(byte));
    }
    expect(said(login.step(inbox))).toBe(vectors.negotiation_client_to_server_2);
    expect(login.step(inbox).kind).toBe("waiting");
    inbox.put(bytesOf(vectors.negotiation_ok));
    expect(login.step(inbox).kind).toBe("accepted");
  });

  test("of a client that is sent to another port", () => {
    const inbox = new Inbox();
    const login = new ClientLogin(wish, key, md5);
    login.step(inbox);
    inbox.put(bytesOf(vectors.negotiation_server_to_client_1));
    login.step(inbox);
    inbox.put(bytesOf(vectors.negotiation_redirect_9001));
    expect(login.step(inbox)).toEqual({ kind: "elsewhere", port: 9001 });
  });

  test.each([
    { story: "a length that is none", answer: "ffffffff" },
    { story: "a length without end", answer: "7fffffff" },
  ])("of a client that hears $story", ({ answer }) => {
    const inbox = new Inbox();
    const login = new ClientLogin(wish, key, md5);
    login.step(inbox);
    inbox.put(bytesOf(answer));
    expect(login.step(inbox).kind).toBe("refused");
  });

  const server = () =>
    new ServerLogin(vectors.client_ip, (name) => (name === vectors.session ? key : undefined), md5);

  test("at a server, byte by byte", () => {
    const inbox = new Inbox();
    const login = server();
    inbox.put(bytesOf(vectors.negotiation_client_to_server_1));
    expect(said(login.step(inbox))).toBe(vectors.negotiation_server_to_client_1);
    expect(login.step(inbox).kind).toBe("waiting");
    inbox.put(bytesOf(vectors.negotiation_client_to_server_2));
    expect(login.step(inbox).kind).toBe("accepted");
    expect([login.name, hex(WELCOME)]).toEqual([vectors.session, vectors.negotiation_ok]);
  });

  test.each([
    { story: "another session", first: "nobody:1.2.3.4:9000:1", second: "" },
    { story: "something else", first: "GET / HTTP/1.1", second: "" },
    { story: "another proof", first: "warp1:1.2.3.4:9000:1", second: "0".repeat(32) },
    {
      story: "a proof for another address",
      first: "warp1:1.2.3.5:9000:1",
      second: vectors.auth_token,
    },
    {
      story: "a proof that is longer",
      first: "warp1:1.2.3.4:9000:1",
      second: `${vectors.auth_token}0`,
    },
  ])("who says $story is left alone", ({ first, second }) => {
    const inbox = new Inbox();
    const login = server();
    const say = (text: string): void => {
      const bytes = Buffer.from(`\0\0\0\0${text}`, "latin1");
      bytes.writeInt32BE(text.length);
      inbox.put(bytes);
    };
    say(first);
    const step = login.step(inbox);
    if (second === "") expect(step.kind).toBe("refused");
    else {
      say(second);
      expect(login.step(inbox).kind).toBe("refused");
    }
  });
});
