/**
 * `bun tunnel-attacker.ts NEAR PORT PUBLIC-KEY tern|wireguard|3wdd`: sits between two ends of a tunnel, sees and passes on all that they
 * say, and says as much besides as it can, until its standard input ends. It knows the public key, and so may be
 * answered; what it was answered stands in its last line (`Attack`).
 *
 * The far end believes 10.50.0.2:9100 to be its peer; the near one knows the far one by that address. So what is said
 * from there is said in the honest one's name. 3wdd believes whatever that says: there it says again what was said,
 * and what is too long or too random to mean anything.
 */
import { randomBytes } from "node:crypto";

import { noisePrimitives as primitives } from "../../src/net/aead/noise-primitives.ts";
import { CookieJar } from "../../src/wire/noise/cookie-jar.ts";
import { initiationSize } from "../../src/wire/noise/message.ts";
import { TERN, WIREGUARD } from "../../src/wire/noise/protocol.ts";
import {
  Ask,
  emitHandshake,
  HANDSHAKE,
  SocketType,
  VERSION,
} from "../../src/wire/udt/handshake.ts";

export interface Attack {
  /** Datagrams that were said besides, by their kind. */
  readonly said: Readonly<Record<string, number>>;
  /** Bytes from addresses that are nobody's, and bytes that came back there. */
  readonly strangersSaid: number;
  readonly strangersHeard: number;
  /** Datagrams of the honest that were passed on. */
  readonly passedOn: number;
}

const OWN = { hostname: "10.50.0.2", port: 9100 };
const ELSEWHERE = "10.50.0.3";
/** Latest datagrams of the honest one. */
const KEPT = 256;
const AT_ONCE = 32;
/** Every so many of the honest one's datagrams are late, and come twice. */
const LATE = 16;
const OVERSIZED = 60_000;
const INITIATION = 1;
const HEADER = 16;
const COUNTER_AT = 8;
const FAR_AHEAD = 2 ** 30;

const [near = "", wanted = "", pub = "", spoken = ""] = process.argv.slice(2);
const protocol = spoken === "wireguard" ? WIREGUARD : TERN;
const isOld = spoken === "3wdd";
const port = Number(wanted);
const publicKey = new Uint8Array(Buffer.from(pub, "base64"));

const kept: Buffer[] = [];
const said: Record<string, number> = {};
let [strangersSaid, strangersHeard, passedOn] = [0, 0, 0];
let far: { port: number; address: string } | undefined;
let late: Buffer | undefined;

const honest = await Bun.udpSocket({
  ...OWN,
  socket: {
    data(socket, data, fromPort, address) {
      if (address === near && fromPort === port) {
        if (far !== undefined) socket.send(data, far.port, far.address);
        return;
      }
      far = { port: fromPort, address };
      passedOn++;
      if (passedOn % LATE === 0) {
        late = Buffer.from(data);
        return;
      }
      pass(socket, data);
      if (late === undefined) return;
      pass(socket, late);
      pass(socket, late);
      late = undefined;
    },
  },
});

/** What has come in time may be said again: the other way round, a peer would be where it was heard last. */
function pass(socket: { send: typeof honest.send }, data: Buffer): void {
  if (socket.send(data, port, near) && kept.push(Buffer.from(data)) > KEPT) kept.shift();
}

/** Somebody who knows the public key and nothing else, at a port of his own. */
const stranger = async () => {
  const jar = new CookieJar(primitives, protocol, publicKey);
  const socket = await Bun.udpSocket({
    hostname: ELSEWHERE,
    socket: {
      data(_, data) {
        strangersHeard += data.length;
        if (data[0] === 3) jar.take(new Uint8Array(data), performance.now());
      },
    },
  });
  return { jar, socket };
};
const strangers = await Promise.all(Array.from({ length: 4 }, stranger));

const length = (most: number): number => 1 + Math.floor(Math.random() * most);
const one = (): Buffer => kept[Math.floor(Math.random() * kept.length)] ?? randomBytes(60);

/** What is said, and whether in the honest one's name. */
const KINDS: Readonly<Record<string, () => { bytes: Uint8Array; spoofed: boolean }>> = {
  random: () => ({ bytes: randomBytes(length(1400)), spoofed: Math.random() < 0.5 }),
  truncated: () => {
    const bytes = one();
    return { bytes: bytes.subarray(0, length(bytes.length)), spoofed: !isOld };
  },
  replayed: () => ({ bytes: one(), spoofed: true }),
  "replayed from elsewhere": () => ({ bytes: one(), spoofed: false }),
  forged: () => {
    const bytes = Buffer.from(one());
    const at = Math.min(bytes.length - 1, HEADER + Math.floor(Math.random() * bytes.length));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    // Under a number that was not there yet: others are not even looked at.
    const number = FAR_AHEAD + length(FAR_AHEAD);
    if (protocol === WIREGUARD) bytes.writeUInt32LE(number, COUNTER_AT);
    else bytes.writeUInt32BE(number, COUNTER_AT + 4);
    return { bytes, spoofed: true };
  },
  oversized: () => ({ bytes: randomBytes(OVERSIZED), spoofed: true }),
};

/** A first message with nothing in it that means anything, by one who may have been given a cookie. */
function initiation({ jar }: (typeof strangers)[number]): Uint8Array {
  const bytes = new Uint8Array(randomBytes(initiationSize(protocol)));
  bytes.set([INITIATION, 0, 0, 0]);
  jar.sign(bytes, performance.now());
  return bytes;
}

/** UDT's: it asks for a cookie, or makes one up. */
function handshake(): Uint8Array {
  const any = (): number => randomBytes(4).readUInt32BE();
  const bytes = new Uint8Array(HANDSHAKE);
  const hello = { version: VERSION, type: SocketType.stream, mss: 1500, window: 8192 };
  const ask = length(2) === 1 ? Ask.cookie : Ask.connect;
  const own = { initial: any(), id: any(), cookie: any(), address: new Uint8Array(16) };
  emitHandshake({ ...hello, ...own, ask }, 0, 0, bytes, 0);
  return bytes;
}

function greet(who: (typeof strangers)[number]): void {
  const { socket } = who;
  const bytes = isOld ? handshake() : initiation(who);
  if (socket.send(bytes, port, near)) {
    strangersSaid += bytes.length;
    said["greetings"] = (said["greetings"] ?? 0) + 1;
  }
}

let ended = false;
void Bun.stdin.text().then(() => (ended = true));
while (!ended) {
  for (let i = 0; i < AT_ONCE; i++)
    for (const [kind, make] of Object.entries(KINDS)) {
      if ((kind === "oversized" && i > 0) || (kind === "forged" && isOld)) continue;
      const { bytes, spoofed } = make();
      const from = spoofed ? honest : strangers[i % strangers.length]?.socket;
      if (from?.send(bytes, port, near) !== true) continue;
      said[kind] = (said[kind] ?? 0) + 1;
      if (!spoofed) strangersSaid += bytes.length;
    }
  for (const each of strangers) for (let i = 0; i < 4; i++) greet(each);
  await new Promise((resume) => setImmediate(resume));
}
const result: Attack = { said, strangersSaid, strangersHeard, passedOn };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
