import { bytesIp } from "../../core/ip-bytes.ts";
import { showIp } from "../../core/ip.ts";
import { showName } from "../../wire/dns/name.ts";
import type { Query } from "../../wire/dns/query.ts";
import { showClass, showOpcode, showRcode, showType } from "../../wire/dns/types.ts";
import type { Via } from "./via.ts";

/** Where lines go; a `LogFile`, or an array in a test. */
export interface Lines {
  write(text: string): void;
  close(): void;
}

/**
 * A sample of the questions, one line of JSON for each:
 *
 *     {"time":"…","client":"192.0.2.7","transport":"udp","name":"www.example.net.","type":"A",
 *      "rcode":"NOERROR","bytes":65,"do":false,"subnet":"198.51.100.0/24"}
 */
export class QueryLog {
  readonly #lines: Lines;
  readonly #sample: number;
  readonly #dice: () => number;

  /** `sample`: the part of the questions that is logged; `dice` are from 0 up to 1. */
  constructor(lines: Lines, sample: number, dice: () => number) {
    this.#lines = lines;
    this.#sample = sample;
    this.#dice = dice;
  }

  /** A question, and what it was answered. */
  readonly note = (query: Query, via: Via, rcode: number, bytes: number): void => {
    if (this.#sample < 1 && this.#dice() >= this.#sample) return;
    this.#lines.write(`${JSON.stringify(entry(query, via, rcode, bytes))}\n`);
  };

  close(): void {
    this.#lines.close();
  }
}

function entry(query: Query, { client, transport, wall }: Via, rcode: number, bytes: number) {
  const { edns, keyLength, opcode, qclass } = query;
  return {
    time: new Date(wall).toISOString(),
    client: showIp(bytesIp(client)),
    transport,
    ...(keyLength > 0 && {
      name: showName(query.key.subarray(0, keyLength)),
      type: showType(query.qtype),
    }),
    ...(qclass > 1 && { class: showClass(qclass) }),
    ...(opcode !== 0 && { opcode: showOpcode(opcode) }),
    rcode: showRcode(rcode),
    bytes,
    ...(edns.present && { do: edns.do }),
    ...(edns.ecsFamily !== 0 && {
      subnet: `${showIp(bytesIp(edns.ecsAddress.subarray(0, edns.ecsFamily === 1 ? 4 : 16)))}/${edns.ecsSource}`,
    }),
  };
}
