import type { Query } from "../../../wire/dns/query.ts";
import { MessageWriter, SECTION } from "../../../wire/dns/writer.ts";
import { Tail } from "../tail.ts";
import { Renderer } from "./renderer.ts";
import { Resolver } from "./resolver.ts";
import type { Zone } from "./zone.ts";

/** Longest message there is (RFC 1035, 4.2.2). */
const MOST_BYTES = 0xffff;
/** In `requiredLength`: there is room for it nowhere. */
const TOO_LONG = 0x10000;

/** Answers questions from zones. One for each thread; the tail is good until the next question. */
export class ZoneAnswerer {
  readonly #resolver: Resolver;
  readonly #renderer = new Renderer();
  readonly #writer = new MessageWriter();
  readonly #buffer = new Uint8Array(MOST_BYTES);
  readonly #extent = { end: 0, additionals: 0 };
  readonly #tail = new Tail();
  /** Whether the name of the last question is itself in the zone: only such answers are worth keeping. */
  exact = false;

  /** `elsewhere` is `Resolver`'s. */
  constructor(elsewhere?: (name: Uint8Array) => boolean) {
    this.#resolver = new Resolver(elsewhere);
  }

  /** The answer of `zone`, which the question `query`, read from `bytes`, is at or below. */
  answer(zone: Zone, bytes: Uint8Array, query: Query): Tail {
    const { do: wanted, compact } = query.edns;
    const outcome = this.#resolver.resolve(zone, query.key, query.qtype, wanted, compact);
    this.exact = outcome.exact;
    const writer = this.#writer;
    writer.begin(this.#buffer, 0, MOST_BYTES, bytes, query, 0);
    const from = writer.at;
    const { key, keyLength } = query;
    const dnssec = wanted && zone.denial !== undefined;
    const rendering = { zone, outcome, dnssec, writer, key, keyLength };
    const fits = this.#renderer.render(rendering, this.#extent);

    const tail = this.#tail;
    tail.bytes = this.#buffer;
    tail.from = from;
    tail.rcode = outcome.rcode;
    tail.authoritative = outcome.authoritative;
    tail.length = fits ? writer.at - from : 0;
    tail.answers = writer.count(SECTION.ANSWER);
    tail.authorities = writer.count(SECTION.AUTHORITY);
    tail.additionals = writer.count(SECTION.ADDITIONAL);
    tail.requiredLength = fits ? this.#extent.end - from : TOO_LONG;
    tail.requiredAdditionals = this.#extent.additionals;
    return tail;
  }
}
