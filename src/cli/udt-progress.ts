import { isatty } from "node:tty";

import { humanBytes } from "../core/human-bytes.ts";
import type { Copied, Progress } from "../net/udt/copy/send.ts";
import type { UdtStream } from "../net/udt/stream.ts";
import { complain, print, printJson } from "./terminal.ts";

const STDERR = 2;
const EVERY_MS = 100;
const BAR = 24;
const US_PER_MS = 1000;

/** A line that shows how far a copy is, and what came of it: for people on standard error. */
export class Teller {
  readonly #shows: boolean;
  readonly #json: boolean;
  readonly #began = performance.now();
  #from: number | undefined;
  #shownAt = 0;

  constructor({ json = false, quiet = false }: { json?: boolean; quiet?: boolean }) {
    this.#json = json;
    this.#shows = !quiet && isatty(STDERR);
  }

  readonly progress: Progress = (done, size) => {
    this.#from ??= done;
    const now = performance.now();
    if (!this.#shows || now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    const rate = (done - this.#from) / ((now - this.#began) / 1000);
    process.stderr.write(`\r${bar(done, size, rate)}\x1b[K`);
  };

  /** Something for people that is not the result. */
  say(text: string): void {
    if (this.#shows) process.stderr.write("\r\x1b[K");
    complain(text);
  }

  /** The end of it: a line, or JSON. `toStdout` is false when the file itself went there. */
  done(what: "sent" | "received", copied: Copied, stream: UdtStream, toStdout = true): void {
    if (this.#shows) process.stderr.write("\r\x1b[K");
    const seconds = (performance.now() - this.#began) / 1000;
    const { name, bytes, resumed, sha256 } = copied;
    const { rtt, retransmitted, packetsSent, packetsReceived, congestion } = stream.stats;
    if (this.#json) {
      const result = {
        [what]: name,
        peer: stream.peer,
        bytes,
        resumed,
        sha256: sha256 ?? null,
        seconds: round(seconds),
        mbitPerSecond: round(((bytes - resumed) * 8) / seconds / 1e6),
        rttMs: round(rtt / US_PER_MS),
        packetsSent,
        packetsReceived,
        retransmitted,
        congestion,
      };
      if (toStdout) printJson(result);
      else complain(JSON.stringify(result));
      return;
    }
    const speed = `${humanBytes(bytes)} in ${seconds.toFixed(1)} s, ${humanBytes((bytes - resumed) / seconds)}/s`;
    const whole =
      sha256 === undefined ? "not verified: libudt has no checksum" : `SHA-256 ${sha256}`;
    const earlier = resumed > 0 ? `, ${humanBytes(resumed)} of it were there` : "";
    (toStdout ? print : complain)(`${what} ${name}: ${speed}${earlier}; ${whole}`);
  }
}

function round(n: number): number {
  return Math.round(n * 1000) / 1000;
}

/** ` 45 %  [==========>             ]  12.3 MiB of 27 MiB  5.1 MiB/s  3 s left`. */
export function bar(done: number, size: number | undefined, rate: number): string {
  const speed = `${humanBytes(Math.max(0, rate))}/s`;
  if (size === undefined || size === 0) return `${humanBytes(done)}  ${speed}`;
  const share = Math.min(1, done / size);
  const full = Math.floor(share * BAR);
  const drawn = `${"=".repeat(full)}${full < BAR ? ">" : ""}`.padEnd(BAR);
  const left = rate > 0 ? `  ${Math.ceil((size - done) / rate)} s left` : "";
  return `${String(Math.floor(share * 100)).padStart(3)} %  [${drawn}]  ${humanBytes(done)} of ${humanBytes(size)}  ${speed}${left}`;
}
