import { blocksBetween, type Cidr } from "./cidr.ts";
import { parseIp, showIp } from "./ip.ts";

/** A host of a list; `port` is undefined when the text names none. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

const V4 = "\\d{1,3}(?:\\.\\d{1,3}){3}";
const RANGE = new RegExp(`^(${V4})-(\\d{1,3})$`);
const WITH_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/;
const NAME = /^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/i;
/** A mistyped address, and no name anybody has. */
const NUMERIC = /^[\d.-]+$/;

/**
 * Hosts as 3xsd writes them: `10.0.0.1-10:8000` is ten of them, in order; the range is the last
 * octet, both ends in it. One address (`[::1]:80` for IPv6) or one name is a list of one.
 */
export function expandRange(text: string): HostPort[] | undefined {
  const [, bracketed, bare = "", digits] = WITH_PORT.exec(text) ?? [undefined, undefined, ""];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  if (bracketed !== undefined)
    return parseIp(bracketed)?.version === 6 ? [{ host: bracketed, port }] : undefined;
  const range = parseRange(bare);
  if (range !== undefined) {
    const { first, last } = range;
    return Array.from({ length: last - first + 1 }, (_, i) => ({
      host: showIp({ version: 4, words: [first + i] }),
      port,
    }));
  }
  if (parseIp(bare)?.version === 4) return [{ host: bare, port }];
  if (parseIp(text)?.version === 6) return [{ host: text, port: undefined }];
  return NAME.test(bare) && !NUMERIC.test(bare) ? [{ host: bare, port }] : undefined;
}

/** `10.23.4.10-20` as blocks, for access lists. Undefined when it is no such range. */
export function rangeBlocks(text: string): Cidr[] | undefined {
  const range = parseRange(text);
  return range && blocksBetween(range.first, range.last);
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const [, base = "", end] = RANGE.exec(text) ?? [];
  const ip = parseIp(base);
  if (ip?.version !== 4) return undefined;
  const first = ip.words[0];
  const last = first - (first % 256) + Number(end);
  return Number(end) > 255 || last < first ? undefined : { first, last };
}
