import { nameLength } from "../../../wire/dns/name.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import { Bytes } from "../zone/columns.ts";

/** Type, class, TTL and the length of the rdata, between owner and rdata (RFC 1035, 3.2.1). */
const FIXED = 10;

/** Records one behind the other, each as a message has it (RFC 1035, 3.2.1), no name compressed. */
export class RecordPacker {
  readonly #bytes = new Bytes();

  add({ name, type, class: klass, ttl, rdata }: Rr): void {
    const at = this.#bytes.reserve(name.length + FIXED + rdata.length);
    const { array } = this.#bytes;
    array.set(name, at);
    const view = new DataView(array.buffer, at + name.length);
    view.setUint16(0, type);
    view.setUint16(2, klass);
    view.setUint32(4, ttl);
    view.setUint16(8, rdata.length);
    array.set(rdata, at + name.length + FIXED);
  }

  /** Add records that are packed already. */
  append(packed: Uint8Array): void {
    const at = this.#bytes.reserve(packed.length);
    this.#bytes.array.set(packed, at);
  }

  /** How many bytes so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** All of it. Nothing more may be added. */
  finish(): Uint8Array {
    return this.#bytes.array.subarray(0, this.#bytes.length);
  }
}

/** The records in `packed`, sharing its memory; ends early where the bytes are no record. */
export function* unpack(packed: Uint8Array): Generator<Rr> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length;) {
    const fixed = at + nameLength(packed, at, packed.length);
    if (fixed < at || fixed + FIXED > packed.length) return;
    const start = fixed + FIXED;
    const end = start + view.getUint16(fixed + 8);
    if (end > packed.length) return;
    yield {
      name: packed.subarray(at, fixed),
      type: view.getUint16(fixed),
      class: view.getUint16(fixed + 2),
      ttl: view.getUint32(fixed + 4),
      rdata: packed.subarray(start, end),
    };
    at = end;
  }
}
