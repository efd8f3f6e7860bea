import { randomInt } from "node:crypto";

import { type Address, showAddress } from "../../core/address.ts";
import { backoff, type BackoffRules } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Closable } from "../../core/lease.ts";
import { askDns, NoAnswer } from "../../net/dns-client.ts";
import type { Log } from "../../observe/log.ts";
import { HEADER } from "../../wire/dns/query.ts";
import { type TsigKey, TsigSigner } from "../../wire/dns/tsig.ts";
import { CLASS, OPCODE, RCODE, showRcode, TYPE } from "../../wire/dns/types.ts";
import { FLAG, MessageWriter, SECTION } from "../../wire/dns/writer.ts";
import { appendTsig } from "./signatures.ts";
import type { Zone } from "./zone/zone.ts";

/** RFC 1996, 3.6 leaves times to us: a server that is away for a quarter of an hour hears of it. */
const TRIES = 6;
const PAUSES: BackoffRules = { first: 5000, most: 300_000, calm: 0 };
const PATIENCE_MS = 5000;
/** Header, question, SOA, TSIG: far below. */
const MOST = 1232;

/** Tells other servers that a zone has changed (RFC 1996). */
export class Notifier implements Closable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ended = new AbortController();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Tell each of `servers`, in the background, until it says that it has heard. */
  tell(name: string, zone: Zone, servers: readonly Address[], key: TsigKey | undefined): void {
    for (const server of servers) {
      if (server.kind !== "tcp") continue;
      this.#tell(zone, server, key).then(
        (said) => {
          if (said !== undefined)
            this.#log.warn("a server does not hear of a zone's change", {
              zone: name,
              server: showAddress(server),
              why: said,
            });
        },
        (error: unknown) => this.#log.error("telling of a zone's change failed", { error }),
      );
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
  }

  /** Undefined when it has heard, else why not. */
  async #tell(
    zone: Zone,
    { host, port }: Address & { kind: "tcp" },
    key: TsigKey | undefined,
  ): Promise<string | undefined> {
    const { signal } = this.#ended;
    let why = "";
    for (let failures = 1; failures <= TRIES && !signal.aborted; failures++) {
      try {
        const message = notification(zone, key, Math.floor(Date.now() / 1000));
        const answer = await askDns(message, { host, port, transport: "udp" }, PATIENCE_MS);
        const rcode = (answer[3] ?? 0) & 15;
        return rcode === RCODE.NOERROR ? undefined : showRcode(rcode);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        why = error.message;
      }
      await this.#clock.sleep(backoff(failures, PAUSES), signal).catch(() => {}); // ended: seen above
    }
    return signal.aborted ? undefined : why;
  }
}

/** RFC 1996, 3.7: the new SOA goes along, as a hint. */
export function notification(zone: Zone, key: TsigKey | undefined, seconds: number): Uint8Array {
  const bytes = new Uint8Array(MOST);
  const writer = new MessageWriter();
  writer.beginMessage(bytes, 0, MOST, randomInt(0x10000), (OPCODE.NOTIFY << 11) | FLAG.AA);
  writer.question(zone.origin, TYPE.SOA, CLASS.IN);
  const { store, soa, origin } = zone;
  writer.add(SECTION.ANSWER, origin, TYPE.SOA, CLASS.IN, store.ttl(soa), store.firstRdata(soa));
  const length = Math.max(HEADER, writer.end());
  if (key === undefined) return bytes.slice(0, length);
  const record = new TsigSigner(key).sign(bytes.slice(0, length), seconds);
  return bytes.slice(0, appendTsig(record, bytes, 0, length));
}
