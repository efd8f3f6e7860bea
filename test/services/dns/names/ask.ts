import { ipBytes } from "../../../../src/core/ip-bytes.ts";
import { parseIp } from "../../../../src/core/ip.ts";
import type { Via } from "../../../../src/services/dns/via.ts";
import { emitSubnet } from "../../../../src/wire/dns/ecs.ts";
import { OPTION } from "../../../../src/wire/dns/edns.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../../src/wire/dns/message.ts";
import { lower, parseName, showName } from "../../../../src/wire/dns/name.ts";
import { ANSWER, Query, readQuery } from "../../../../src/wire/dns/query.ts";
import { showRdata } from "../../../../src/wire/dns/rdata/show.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { parseType, showRcode, showType } from "../../../../src/wire/dns/types.ts";
import { FLAG, MessageWriter } from "../../../../src/wire/dns/writer.ts";

/** The seed of the queries made here. */
export const SEED = 0x5eed;

export interface Asked {
  readonly type?: string;
  /** The resolver's address. */
  readonly from?: string;
  /** `203.0.113.0/24`, told by the resolver. */
  readonly subnet?: string;
  readonly now?: number;
  readonly room?: number;
}

export interface Told {
  readonly handled: boolean;
  readonly rcode: string;
  readonly truncated: boolean;
  /** `A 10.0.0.1`, in order. */
  readonly answers: readonly string[];
  /** `owner TYPE`. */
  readonly authorities: readonly string[];
  /** Seconds of the first record. */
  readonly ttl: number | undefined;
  readonly message: Message;
}

type Answer = (query: Query, via: Via, writer: MessageWriter) => boolean;

/** One question to something that answers as `ComputedNames.answer` does. */
export function ask(answer: Answer, name: string, asked: Asked = {}): Told {
  const { type = "A", from = "192.0.2.1", subnet, now = 0, room = 1232 } = asked;
  const bytes = encodeMessage({
    id: 4711,
    flags: 0,
    opcode: 0,
    rcode: 0,
    questions: [{ name: wire(name), type: parseType(type) ?? 0, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: {
      udpSize: 1232,
      version: 0,
      do: false,
      compact: false,
      options: subnet === undefined ? [] : [{ code: OPTION.ECS, data: ecs(subnet) }],
    },
  });
  if (bytes === undefined) throw new Error(`no question: ${name}`);
  const query = new Query(SEED);
  if (readQuery(bytes, 0, bytes.length, query) !== ANSWER) throw new Error("not a good question");
  const via: Via = { transport: "udp", port: 53, client: address(from), room, now, wall: now };
  const writer = new MessageWriter();
  const out = new Uint8Array(4096);
  writer.begin(out, 0, room, bytes, query, 0);
  const handled = answer(query, via, writer);
  const message = decodeMessage(out.subarray(0, writer.end()));
  if (message === undefined) throw new Error("the answer cannot be read");
  return {
    handled,
    rcode: showRcode(message.rcode),
    truncated: (message.flags & FLAG.TC) !== 0,
    answers: message.answers.map((rr) => `${showType(rr.type)} ${showRdata(rr.type, rr.rdata)}`),
    authorities: message.authorities.map((rr: Rr) => `${showName(rr.name)} ${showType(rr.type)}`),
    ttl: [...message.answers, ...message.authorities][0]?.ttl,
    message,
  };
}

export function wire(text: string): Uint8Array {
  const name = parseName(text.replace(/\.?$/, "."));
  if (name === undefined) throw new Error(`no name: ${text}`);
  return name;
}

export function lowerWire(text: string): Uint8Array {
  return lower(wire(text));
}

export function address(text: string): Uint8Array {
  const ip = parseIp(text);
  const bytes = ip && ipBytes(ip, ip.version);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

function ecs(subnet: string): Uint8Array {
  const [host = "", bits = "0"] = subnet.split("/");
  const option = emitSubnet({ address: host, source: Number(bits), scope: 0 });
  if (option === undefined) throw new Error(`no subnet: ${subnet}`);
  return option;
}
