/** Questions to the resolvers of this machine, with the TTL of what they say. */
import { getServers } from "node:dns";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";

import { parseAddress } from "../../core/address.ts";
import { decodeMessage, encodeMessage } from "../../wire/dns/message.ts";
import { parseName } from "../../wire/dns/name.ts";
import { showRdata } from "../../wire/dns/rdata/show.ts";
import { CLASS, OPCODE, RCODE, showRcode, TYPE } from "../../wire/dns/types.ts";
import { FLAG } from "../../wire/dns/writer.ts";
import { askDns, NoAnswer } from "../dns-client.ts";
import { addressesIn } from "./hosts-file.ts";

/** Records of one name and type as master files write them, good for `ttl` seconds. Empty: there are none. */
export interface Records {
  readonly texts: readonly string[];
  readonly ttl: number;
}

/** Asks for names. Rejects with an Error, in words, when it cannot be found out now. */
export interface Resolver {
  records(name: string, type: "A" | "AAAA" | "SRV"): Promise<Records>;
  /** What the operator of this machine has decided (/etc/hosts); none for other names. */
  decided(name: string): Promise<readonly string[]>;
  /** By all that this machine does to find a name (search domains, mDNS); none when it does not. */
  guessed(name: string): Promise<readonly string[]>;
}

/** Longest wait for one server's answer. */
const PATIENCE_MS = 2000;
const DNS_PORT = 53;
const HOSTS = "/etc/hosts";

/** Whom to ask, `192.0.2.53` or `192.0.2.53:5353`, one after another; those of this machine when not told. */
export function machineResolver(servers: () => readonly string[] = getServers): Resolver {
  return {
    async records(name, type) {
      let why: unknown = new NoAnswer("this machine has no resolvers");
      for (const server of servers())
        try {
          return await ask(server, name, type);
        } catch (error) {
          why = error;
        }
      throw why;
    },
    async decided(name) {
      const file = await readFile(HOSTS, "utf8").catch(() => ""); // there need not be one
      return addressesIn(file, name);
    },
    async guessed(name) {
      try {
        const found = await lookup(name, { all: true });
        return found.map(({ address }) => address);
      } catch {
        return [];
      }
    },
  };
}

async function ask(server: string, name: string, type: "A" | "AAAA" | "SRV"): Promise<Records> {
  const wire = parseName(name.replace(/\.?$/, "."));
  const question = wire && { name: wire, type: TYPE[type], class: CLASS.IN };
  const message =
    question &&
    encodeMessage({
      id: crypto.getRandomValues(new Uint16Array(1))[0] as number,
      flags: FLAG.RD,
      opcode: OPCODE.QUERY,
      rcode: RCODE.NOERROR,
      questions: [question],
      answers: [],
      authorities: [],
      additionals: [],
    });
  if (message === undefined) throw new Error(`${name} is no name`);
  const at = parseAddress(server.includes(":") && !server.includes(".") ? `[${server}]:0` : server);
  const host = at?.kind === "tcp" ? at.host : server;
  const port = at?.kind === "tcp" && at.port !== 0 ? at.port : DNS_PORT;
  let answer = decodeMessage(await askDns(message, { host, port, transport: "udp" }, PATIENCE_MS));
  if (answer && answer.flags & FLAG.TC)
    answer = decodeMessage(await askDns(message, { host, port, transport: "tcp" }, PATIENCE_MS));
  if (answer === undefined) throw new NoAnswer(`${server} says what is no DNS`);
  if (answer.rcode !== RCODE.NOERROR && answer.rcode !== RCODE.NXDOMAIN)
    throw new NoAnswer(`${server} refuses to say (${showRcode(answer.rcode)})`);
  // Aliases on the way are in the answer too; the shortest TTL of all is that of the whole.
  const records = answer.answers.filter((rr) => rr.type === TYPE[type]);
  return {
    texts: records.map((rr) => showRdata(rr.type, rr.rdata)),
    ttl: records.length === 0 ? 0 : Math.min(...answer.answers.map((rr) => rr.ttl)),
  };
}
