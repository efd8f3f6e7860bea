import type { Route } from "../../sys/datagram-route.ts";
import { Control, HEADER, putControl, word } from "../../wire/udt/packet.ts";
import type { Line } from "./line.ts";

/** Connections that are remembered at most, and for how long, µs: libudt says a word each 0.4 s when it is idle. */
const MOST = 1024;
const MEMORY = 5_000_000;
/** To one who goes on talking it is said so rarely, µs. */
const GAP = 100_000;
/** The upper half of the first word of a SHUTDOWN. */
const SHUTDOWN = 0x8000 | Control.shutdown;
/** libudt sends four bytes where there is nothing to say. */
const NOTHING = 4;

/** A connection that was closed here. */
class Left {
  readonly route: Route;
  readonly until: number;
  readonly #peer: number;
  #quietUntil = -Infinity;

  constructor(line: Line, now: number) {
    this.route = line.route;
    this.until = now + MEMORY;
    this.#peer = line.connection.peerId;
  }

  /** Writes a SHUTDOWN to `out[at..]`, and says its length; 0: that was just done. */
  answer(now: number, out: Uint8Array, at: number): number {
    if (now < this.#quietUntil) return 0;
    this.#quietUntil = now + GAP;
    putControl(out, at, Control.shutdown, 0, 0, this.#peer);
    out.fill(0, at + HEADER, at + HEADER + NOTHING);
    return HEADER + NOTHING;
  }
}

/** Connections of late that were closed here: peers that missed every farewell would wait for 46 seconds. */
export class Departed {
  readonly #table = new Map<number, Left>();

  add(line: Line, now: number): void {
    if (line.connection.peerId === 0) return;
    for (const [id, { until }] of this.#table) {
      if (until > now && this.#table.size < MOST) break;
      this.#table.delete(id);
    }
    this.#table.set(line.connection.id, new Left(line, now));
  }

  /** Whom the datagram at `bytes[from..]` for `id` was meant for; undefined: nobody, or it says that they are gone too. */
  find(id: number, bytes: Uint8Array, from: number, now: number): Left | undefined {
    const left = this.#table.get(id);
    if (left === undefined || left.until <= now) return undefined;
    return word(bytes, from) >>> 16 === SHUTDOWN ? undefined : left;
  }
}
