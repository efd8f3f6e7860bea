import { parseName, sameName, showName } from "../../../wire/dns/name.ts";
import { HEADER } from "../../../wire/dns/query.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import { FLAG, MessageWriter } from "../../../wire/dns/writer.ts";
import type { CheckOf } from "../check.ts";
import type { Probe } from "../watch.ts";

const CLASS_IN = 1;
/** Sent again after so long: one lost datagram is no lost server. */
const AGAIN_SHARE = 0.4;
/** Asked for when the check names nothing: every server has something to say to it. */
const ANYTHING = ".";

const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/**
 * Good when it answers: with a record, where the check names one to ask for; with anything but
 * SERVFAIL otherwise.
 */
export function dnsProbe(host: string, port: number, check: CheckOf<"dns">): Probe {
  const name = parseName(`${check.query ?? ANYTHING}`.replace(/\.?$/, "."));
  if (name === undefined) throw new Error(`no domain name: ${check.query}`);
  const type = check.query === undefined ? TYPE.NS : TYPE[check.type];
  return (deadline) => ask(host, port, name, type, check, deadline);
}

async function ask(
  host: string,
  port: number,
  name: Uint8Array,
  type: number,
  check: CheckOf<"dns">,
  deadline: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const query = question(name, type);
  // A port of its own, and connected: only the target can answer, and refusal is heard.
  const socket = await Bun.udpSocket({
    connect: { hostname: host, port },
    socket: {
      data: (_, bytes) => {
        const said = judgeReply(bytes, query, check.query !== undefined);
        if (said !== undefined) resolve(said === "good" ? undefined : said);
      },
      // The types say (socket, error), the runtime hands in the error alone.
      error: (...[first, second]: unknown[]) => resolve(words(second ?? first)),
    },
  });
  const again = setTimeout(() => socket.send(query), check.timeout * AGAIN_SHARE);
  deadline.addEventListener("abort", () => resolve("timeout"), { once: true });
  try {
    socket.send(query);
    return await promise;
  } finally {
    clearTimeout(again);
    socket.close();
  }
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}

function question(name: Uint8Array, type: number): Uint8Array {
  const bytes = new Uint8Array(HEADER + name.length + 4);
  const writer = new MessageWriter();
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  writer.beginMessage(bytes, 0, bytes.length, id, 0);
  writer.question(name, type, CLASS_IN);
  writer.end();
  return bytes;
}

/** "good", why not, or undefined when it is no answer to this question. */
function judgeReply(
  reply: Uint8Array,
  query: Uint8Array,
  wantsRecord: boolean,
): string | undefined {
  if (reply.length < query.length || reply[0] !== query[0] || reply[1] !== query[1])
    return undefined;
  const view = new DataView(reply.buffer, reply.byteOffset, reply.length);
  if ((view.getUint16(2) & FLAG.QR) === 0 || view.getUint16(4) !== 1) return undefined;
  const asked = query.subarray(HEADER, -4);
  if (!sameName(reply.subarray(HEADER, query.length - 4), asked)) return undefined;
  const rcode = view.getUint16(2) & 15;
  if (!wantsRecord) return rcode === 2 ? "SERVFAIL" : "good";
  if (rcode !== 0) return RCODES[rcode] ?? `rcode ${rcode}`;
  return view.getUint16(6) > 0 ? "good" : `no record for ${showName(asked)}`;
}
