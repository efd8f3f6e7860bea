import { createHash } from "node:crypto";

import fc from "fast-check";

import { blocksOf } from "../../../src/services/tunnel/legacy/blocks.ts";
import { squeezers } from "../../../src/services/tunnel/legacy/squeezers.ts";
import { bodies } from "../../../src/wire/3wdd/bodies.ts";
import { bodyCipher, CIPHERS } from "../../../src/wire/3wdd/ciphers.ts";
import { Inbox } from "../../../src/wire/3wdd/inbox.ts";
import { ClientLogin, ServerLogin, sessionKey } from "../../../src/wire/3wdd/login.ts";

const MOST = 65_535;
const NAME = "warp1";
const HERE = "192.0.2.1";
const THERE = "192.0.2.2";
const md5 = (text: string): string => createHash("md5").update(text, "latin1").digest("hex");
const KEY = sessionKey(NAME, "a token nobody guesses", md5);

/** A text of the login as it is on the wire, or what might be taken for one. */
const text = fc
  .tuple(
    fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom(`${NAME}:${HERE}:9000:1`, `${NAME}:${HERE}:9000:0`, "0".repeat(32), THERE),
    ),
    fc.oneof(fc.constant(0), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })),
  )
  .map(([said, wrong]) => {
    const bytes = Buffer.from(`\0\0\0\0${said}`, "latin1");
    bytes.writeInt32BE(wrong === 0 ? said.length : wrong);
    return new Uint8Array(bytes);
  });
const speech = fc.array(fc.oneof(text, fc.uint8Array({ maxLength: 100 })), { maxLength: 12 });

/** Whatever is said to a server: nobody is let in who does not know the token, and it says little. */
export const letsNobodyIn = fc.property(speech, (said) => {
  const login = new ServerLogin(THERE, (name) => (name === NAME ? KEY : undefined), md5);
  const inbox = new Inbox();
  let answers = 0;
  for (const bytes of said) {
    inbox.put(bytes);
    const step = login.step(inbox);
    if (step.kind === "accepted") throw new Error("let in");
    if (step.kind === "say" && ++answers > 1) throw new Error("too many words");
    if (step.kind === "refused") return; // it is left alone
  }
});

/** Whatever a server says: a client throws at nothing, and goes to no port that is none. */
export const followsNobodyBlindly = fc.property(speech, (said) => {
  const wish = { name: NAME, server: HERE, port: 9000, redirect: true };
  const login = new ClientLogin(wish, KEY, md5);
  const inbox = new Inbox();
  login.step(inbox);
  for (const bytes of said) {
    inbox.put(bytes);
    const step = login.step(inbox);
    if (step.kind === "elsewhere" && !(step.port > 0 && step.port <= MOST))
      throw new Error("no port");
    if (step.kind !== "say" && step.kind !== "waiting") return;
  }
});

/** Frames are never more than what came, and there is always room for what comes next. */
export const framesAreWhatCame = fc.property(
  fc.array(fc.uint8Array({ maxLength: 3000, size: "max" }), { maxLength: 60, size: "max" }),
  (stream) => {
    const inbox = new Inbox();
    let [came, framed] = [0, 0];
    for (const bytes of stream) {
      if (inbox.room < bytes.length) throw new Error("no room");
      inbox.put(bytes);
      came += bytes.length;
      for (let body = inbox.frame(); body !== undefined; body = inbox.frame())
        framed += 2 + body.length;
    }
    if (framed > came) throw new Error("more than what came");
  },
);

const ways = CIPHERS.flatMap((name) =>
  (["off", "zlib", "lzo"] as const).map((squeeze) =>
    bodies(
      {
        cipher: bodyCipher(
          name,
          (kind) => blocksOf(kind, KEY),
          (count) => new Uint8Array(count),
        ),
        squeeze,
        mtu: 1500,
      },
      squeezers,
    ),
  ),
);

/** Bodies that were changed on the way, which nobody notices here: no packet is longer than a packet. */
export const bodiesStayPackets = fc.property(
  fc.constantFrom(...ways),
  fc.uint8Array({ maxLength: 400 }),
  fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
  fc.nat(20),
  (way, packet, bends, cut) => {
    const body = Uint8Array.from(way.emit(packet));
    for (const [at, value] of bends) if (body.length > 0) body[at % body.length] = value;
    const shown = way.parse(body.subarray(0, Math.max(0, body.length - cut)));
    if (shown !== undefined && shown.length > MOST) throw new Error("longer than any packet");
  },
);
