import type { udp } from "bun";

/** What happens to datagrams on their way; each a probability from 0 to 1. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  /** Held back for a few milliseconds, so that those behind overtake it. */
  readonly reorder: number;
  readonly seed: number;
  /** What is never lost, whatever the dice say. */
  readonly spares?: (bytes: Uint8Array) => boolean;
}

/** Between clients and a server on loopback, in real time. */
export interface UdpRelay extends Disposable {
  /** Clients talk to it as if it were the server. */
  readonly port: number;
  readonly lost: number;
  readonly passed: number;
}

const LOOPBACK = "127.0.0.1";
const HELD_MS = 5;

type Socket = udp.Socket<"uint8array"> | udp.ConnectedSocket<"uint8array">;

/** A bad link in front of `server`. */
export async function udpRelay(server: number, weather: Weather): Promise<UdpRelay> {
  const dice = random(weather.seed);
  const counts = { lost: 0, passed: 0 };
  const clients = new Map<number, Promise<Socket>>();
  let closed = false;
  const through = (bytes: Uint8Array, send: (bytes: Uint8Array) => void): void => {
    if (dice() < weather.loss && weather.spares?.(bytes) !== true) {
      counts.lost++;
      return;
    }
    counts.passed++;
    const copies = dice() < weather.duplicate ? 2 : 1;
    const late = dice() < weather.reorder;
    for (let i = 0; i < copies; i++)
      if (late) {
        const kept = bytes.slice();
        setTimeout(() => closed || send(kept), dice() * HELD_MS);
      } else send(bytes);
  };
  const front = await Bun.udpSocket<"uint8array">({
    hostname: LOOPBACK,
    binaryType: "uint8array",
    socket: {
      error: () => {},
      async data(_socket, bytes, port) {
        const kept = bytes.slice();
        const back = clients.get(port) ?? begin(port);
        clients.set(port, back);
        const known = Bun.peek(back);
        const socket = known instanceof Promise ? await known : known;
        if (closed) return;
        through(kept, (what) => (socket as udp.Socket<"uint8array">).send(what, server, LOOPBACK));
      },
    },
  });
  const begin = (client: number): Promise<Socket> =>
    Bun.udpSocket<"uint8array">({
      hostname: LOOPBACK,
      binaryType: "uint8array",
      socket: {
        error: () => {}, // ICMP: nobody is there (any more)
        data: (_socket, bytes) => through(bytes, (what) => front.send(what, client, LOOPBACK)),
      },
    });
  return {
    port: front.port,
    get lost() {
      return counts.lost;
    },
    get passed() {
      return counts.passed;
    },
    [Symbol.dispose]: () => {
      closed = true; // some are still held back
      front.close();
      for (const socket of clients.values()) void socket.then((one) => one.close());
    },
  };
}

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
