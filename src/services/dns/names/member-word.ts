import { ipBytes } from "../../../core/ip-bytes.ts";
import { parseIp, showIp } from "../../../core/ip.ts";
import { expandRange } from "../../../core/ranges.ts";
import { parseName, showName } from "../../../wire/dns/name.ts";
import { TYPE } from "../../../wire/dns/types.ts";

/** One record that a computed name may be answered with. */
export interface MemberConfig {
  /** What an operator calls it: the address, or the text of the record. */
  readonly label: string;
  readonly type: number;
  readonly rdata: Uint8Array;
  /** Share of the answers, where order is weighted or hash; 0 gives it no more of them. */
  readonly weight: number;
  /** The IP address whose health decides; undefined: nobody looks. */
  readonly host: string | undefined;
  /** Port for checks that need one. */
  readonly port: number | undefined;
}

/**
 * What one word of a tier stands for: an address (`10.0.0.1`, `::1`), addresses (`10.0.0.4-6`), each
 * maybe with the port its check knocks at (`10.0.0.1:8000`), or a name to be sent on to (CNAME).
 */
export function members(word: string, weight: number): MemberConfig[] | undefined {
  const hosts = expandRange(word);
  return hosts?.flatMap(({ host, port }) => member(host, port, weight) ?? []);
}

function member(host: string, port: number | undefined, weight: number): MemberConfig | undefined {
  const ip = parseIp(host);
  const rdata = ip && ipBytes(ip, ip.version);
  if (rdata) {
    const type = rdata.length === 4 ? TYPE.A : TYPE.AAAA;
    return { label: showIp(ip), type, rdata, weight, host: showIp(ip), port };
  }
  const name = parseName(`${host}`.replace(/\.?$/, "."));
  // A name with a port would be a promise that a CNAME cannot keep.
  if (name === undefined || port !== undefined) return undefined;
  return { label: showName(name), type: TYPE.CNAME, rdata: name, weight, host: undefined, port };
}
