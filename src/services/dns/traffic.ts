import type { Counter, Metrics } from "../../observe/metrics.ts";
import { showRcode, showType, TYPE } from "../../wire/dns/types.ts";
import { type Transport, TRANSPORTS } from "./via.ts";

/** Types with a count of their own; strangers may ask for 65 536 others. */
const COUNTED: readonly number[] = [
  TYPE.A,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.PTR,
  TYPE.MX,
  TYPE.TXT,
  TYPE.AAAA,
  TYPE.SRV,
  TYPE.NAPTR,
  TYPE.DS,
  TYPE.TLSA,
  TYPE.DNSKEY,
  TYPE.SVCB,
  TYPE.HTTPS,
  TYPE.IXFR,
  TYPE.AXFR,
  TYPE.ANY,
  TYPE.CAA,
];
const OTHER = 0;
/** Rcodes 0 to 10, and those from 16 on that we give. */
const RCODES = 24;

/** Place of each type below 258 in the counts, from 1 on. */
const PLACES = new Uint8Array(258);
for (const [i, type] of COUNTED.entries()) PLACES[type] = i + 1;

/** Why a question was not answered, or not with all there is. */
export const HELD = { dropped: 0, slipped: 1, malformed: 2 } as const;
const HELD_NAMES = Object.keys(HELD) as (keyof typeof HELD)[];

/** What was asked and how it was answered; counting is one addition. Told to the metrics when they are read. */
export class Traffic {
  readonly #questions = new Float64Array(COUNTED.length + 1);
  readonly #answers = new Float64Array(TRANSPORTS.length * RCODES);
  readonly #held = new Float64Array(HELD_NAMES.length);
  readonly #truncated = new Float64Array(1);
  readonly #unsent = new Float64Array(1);
  readonly #forget: () => void;

  constructor(server: string, metrics: Metrics) {
    const told: (() => void)[] = [];
    const tell = (counts: Float64Array, i: number, make: () => Counter): void => {
      let counter: Counter | undefined;
      let before = 0;
      told.push(() => {
        const now = counts[i] as number;
        if (now === before) return; // a series for what never happened helps nobody
        counter ??= make();
        counter.add(now - before);
        before = now;
      });
    };
    for (let i = 0; i <= COUNTED.length; i++) {
      const type = i === OTHER ? "other" : showType(COUNTED[i - 1] as number);
      tell(this.#questions, i, () =>
        metrics.counter("tern_dns_questions_total", "Questions, by type.", { server, type }),
      );
    }
    for (const [t, transport] of TRANSPORTS.entries())
      for (let rcode = 0; rcode < RCODES; rcode++)
        tell(this.#answers, t * RCODES + rcode, () =>
          metrics.counter("tern_dns_answers_total", "Answers, by transport and rcode.", {
            server,
            transport,
            rcode: showRcode(rcode),
          }),
        );
    for (const [i, reason] of HELD_NAMES.entries())
      tell(this.#held, i, () =>
        metrics.counter(
          "tern_dns_held_back_total",
          "Questions not answered, or not with all there is, by reason.",
          { server, reason },
        ),
      );
    tell(this.#truncated, 0, () =>
      metrics.counter("tern_dns_truncated_total", "Answers that had to leave something out.", {
        server,
      }),
    );
    tell(this.#unsent, 0, () =>
      metrics.counter("tern_dns_unsent_total", "Answers over UDP that the kernel did not take.", {
        server,
      }),
    );
    this.#forget = metrics.onSnapshot(() => told.forEach((one) => one()));
  }

  question(type: number): void {
    this.#questions[(type < PLACES.length ? PLACES[type] : OTHER) as number]!++; // PLACES gives places
  }

  answer(transport: Transport, rcode: number): void {
    const i = TRANSPORTS.indexOf(transport) * RCODES + (rcode < RCODES ? rcode : 0);
    this.#answers[i]!++; // within: RCODES for each transport
  }

  held(reason: (typeof HELD)[keyof typeof HELD]): void {
    this.#held[reason]!++; // a place for each
  }

  truncated(): void {
    this.#truncated[0]!++;
  }

  unsent(count: number): void {
    this.#unsent[0]! += count;
  }

  /** Answers of all kinds so far. */
  get answered(): number {
    return this.#answers.reduce((sum, n) => sum + n, 0);
  }

  /** The same of one transport. */
  answeredBy(transport: Transport): number {
    const first = TRANSPORTS.indexOf(transport) * RCODES;
    return this.#answers.subarray(first, first + RCODES).reduce((sum, n) => sum + n, 0);
  }

  close(): void {
    this.#forget();
  }
}
