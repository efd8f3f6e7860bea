import { randomInt } from "node:crypto";

import { parseIp, showIp } from "../core/ip.ts";
import { askDns, type DnsServer, NoAnswer } from "../net/dns-client.ts";
import { emitSubnet, parseSubnet } from "../wire/dns/ecs.ts";
import { OPTION, PAD_QUERY, SAFE_UDP_SIZE } from "../wire/dns/edns.ts";
import {
  decodeMessage,
  type EdnsOption,
  encodeMessage,
  type Message,
} from "../wire/dns/message.ts";
import { parseName, showName } from "../wire/dns/name.ts";
import { showRdata } from "../wire/dns/rdata/show.ts";
import type { Rr } from "../wire/dns/rr.ts";
import {
  CLASS,
  parseType,
  showClass,
  showOpcode,
  showRcode,
  showType,
  TYPE,
} from "../wire/dns/types.ts";
import { FLAG } from "../wire/dns/writer.ts";
import { EXIT, Exit } from "./exit.ts";
import { print, printJson } from "./terminal.ts";

interface Options {
  readonly server: string;
  readonly port?: string;
  readonly tcp?: boolean;
  readonly tls?: boolean;
  readonly https?: boolean;
  readonly path?: string;
  readonly name?: string;
  readonly dnssec?: boolean;
  readonly nsid?: boolean;
  readonly subnet?: string;
  readonly recurse?: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

const PORTS = { udp: 53, tcp: 53, tls: 853, https: 443 } as const;

/** `tern dns query NAME [TYPE]`: a small dig. */
export default async function dnsQuery(
  options: Options,
  name: string,
  typeName = "A",
): Promise<number> {
  const type = parseType(typeName);
  if (type === undefined) throw new Exit(EXIT.usage, `${typeName} is no record type`);
  const server = serverOf(options);
  const query = queryOf(options, name, type, server.transport);
  const bytes = encodeMessage(query);
  if (bytes === undefined) throw new Exit(EXIT.usage, "the question is too long");
  const ms = Number(options.timeout) * 1000;
  if (!(ms > 0)) throw new Exit(EXIT.usage, "--timeout is in seconds");

  const began = performance.now();
  let { answer, transport } = await asked(bytes, server, ms);
  if (answer.flags & FLAG.TC && transport === "udp")
    ({ answer, transport } = await asked(bytes, { ...server, transport: "tcp" }, ms));
  const took = performance.now() - began;
  if (options.json) printJson({ ...asJson(answer), transport, ms: Math.round(took * 1000) / 1000 });
  else print(shown(answer, { ...server, transport }, took));
  return EXIT.ok;
}

async function asked(
  bytes: Uint8Array,
  server: DnsServer,
  ms: number,
): Promise<{ answer: Message; transport: DnsServer["transport"] }> {
  const { host, port, transport } = server;
  const where = `${host}#${port} (${transport})`;
  let reply: Uint8Array;
  try {
    reply = await askDns(bytes, server, ms);
  } catch (error) {
    if (error instanceof NoAnswer) throw new Exit(EXIT.failed, `${where}: ${error.message}`);
    throw error;
  }
  const answer = decodeMessage(reply);
  if (answer === undefined) throw new Exit(EXIT.failed, `${where}: the answer is malformed`);
  return { answer, transport };
}

function serverOf({ server, port, tcp, tls, https, path, name }: Options): DnsServer {
  const transport = https ? "https" : tls ? "tls" : tcp ? "tcp" : "udp";
  const given = server.replace(/^@/, "");
  const ip = parseIp(given);
  if (ip === undefined) throw new Exit(EXIT.usage, `${given} is no IP address of a server`);
  const number = port === undefined ? PORTS[transport] : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 0xffff)
    throw new Exit(EXIT.usage, `${port} is no port`);
  return {
    host: showIp(ip),
    port: number,
    transport,
    ...(path !== undefined && { path }),
    ...(name !== undefined && { name }),
  };
}

function queryOf(
  { dnssec = false, nsid, subnet, recurse }: Options,
  name: string,
  type: number,
  transport: DnsServer["transport"],
): Message {
  const wire = parseName(name.replace(/\.?$/, "."));
  if (wire === undefined) throw new Exit(EXIT.usage, `${name} is no domain name`);
  const options: EdnsOption[] = [];
  if (nsid) options.push({ code: OPTION.NSID, data: new Uint8Array() });
  if (subnet !== undefined) options.push({ code: OPTION.ECS, data: subnetOf(subnet) });
  if (transport === "tls" || transport === "https")
    options.push({ code: OPTION.PADDING, data: new Uint8Array(PAD_QUERY - wire.length - 33) });
  return {
    id: transport === "https" ? 0 : randomInt(0x10000), // RFC 8484, 4.1: friendly to caches
    flags: recurse ? FLAG.RD : 0,
    opcode: 0,
    rcode: 0,
    questions: [{ name: wire, type, class: CLASS.IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: { udpSize: SAFE_UDP_SIZE, version: 0, do: dnssec, compact: false, options },
  };
}

function subnetOf(text: string): Uint8Array {
  const [address = "", bits] = text.split("/");
  const ip = parseIp(address);
  const source = Number(bits ?? (ip?.version === 4 ? 24 : 56));
  const data = ip && emitSubnet({ address, source, scope: 0 });
  if (data === undefined) throw new Exit(EXIT.usage, `${text} is no network`);
  return data;
}

/** As `--json` prints it. */
export function asJson(message: Message) {
  return {
    id: message.id,
    opcode: showOpcode(message.opcode),
    rcode: showRcode(message.rcode),
    flags: flagsOf(message),
    question: message.questions.map((q) => ({
      name: showName(q.name),
      type: showType(q.type),
      class: showClass(q.class),
    })),
    answer: message.answers.map(record),
    authority: message.authorities.map(record),
    additional: message.additionals.map(record),
    edns: message.edns && {
      udpSize: message.edns.udpSize,
      version: message.edns.version,
      do: message.edns.do,
      options: message.edns.options.map(({ code, data }) => ({
        code,
        name: optionName(code),
        data: data.toHex(),
        text: optionText(code, data),
      })),
    },
  };
}

function record({ name, type, class: klass, ttl, rdata }: Rr) {
  return {
    name: showName(name),
    ttl,
    class: showClass(klass),
    type: showType(type),
    data: showRdata(type, rdata),
  };
}

function flagsOf({ flags }: Message): string[] {
  return Object.entries(FLAG).flatMap(([name, bit]) => (flags & bit ? [name.toLowerCase()] : []));
}

function optionName(code: number): string {
  return Object.entries(OPTION).find(([, number]) => number === code)?.[0] ?? `OPT${code}`;
}

const utf8 = new TextDecoder();

function optionText(code: number, data: Uint8Array): string {
  switch (code) {
    case OPTION.NSID:
      return utf8.decode(data);
    case OPTION.EDE:
      return `${((data[0] ?? 0) << 8) | (data[1] ?? 0)} ${utf8.decode(data.subarray(2))}`.trim();
    case OPTION.ECS: {
      const { address = "0.0.0.0", source, scope } = parseSubnet(data) ?? { source: 0, scope: 0 };
      return `${address}/${source}/${scope}`;
    }
    case OPTION.PADDING:
      return `${data.length} bytes`;
    default:
      return data.toHex();
  }
}

function shown(message: Message, { host, port, transport }: DnsServer, ms: number): string {
  const lines = [
    `;; ${showOpcode(message.opcode)}, ${showRcode(message.rcode)}, id ${message.id}, flags ${flagsOf(message).join(" ")}`,
  ];
  if (message.edns !== undefined) {
    const { udpSize, version, do: signed, options } = message.edns;
    lines.push(`;; EDNS version ${version}, ${udpSize} bytes${signed ? ", DO" : ""}`);
    for (const { code, data } of options)
      lines.push(`;; ${optionName(code)}: ${optionText(code, data)}`);
  }
  for (const { name, type, class: klass } of message.questions)
    lines.push(`;${showName(name)}\t${showClass(klass)}\t${showType(type)}`);
  const sections = [
    ["answer", message.answers],
    ["authority", message.authorities],
    ["additional", message.additionals.filter((rr) => rr.type !== TYPE.OPT)],
  ] as const;
  for (const [title, records] of sections) {
    if (records.length === 0) continue;
    lines.push("", `;; ${title}`);
    for (const { name, ttl, class: klass, type, data } of records.map(record))
      lines.push(`${name}\t${ttl}\t${klass}\t${type}\t${data}`);
  }
  lines.push("", `;; ${host}#${port} (${transport}), ${ms.toFixed(1)} ms`);
  return lines.join("\n");
}
