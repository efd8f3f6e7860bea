import type { GenericSchema } from "valibot";

import { type Address, parseAddress } from "../core/address.ts";
import { type Cidr, parseCidr } from "../core/cidr.ts";
import { expandRange, type HostPort, rangeBlocks } from "../core/ranges.ts";
import { oneOrMany, Refusal, scalar } from "./scalar.ts";
import { resolvePath } from "./surroundings.ts";

/** `":8080"`, `"127.0.0.1:80"`, `"[::1]:80"` or `"unix:/run/x.sock"`. */
export const address = scalar(
  'an address such as ":8080", "127.0.0.1:80", "[::1]:80" or "unix:/run/x.sock"',
  readAddress,
);

/** One address or several. */
export const addressList: GenericSchema<unknown, readonly Address[]> = oneOrMany<Address>(address);

/** `10.0.0.0/8` or one address. */
export const cidr = scalar('an address or a network such as "10.0.0.0/8" or "::1"', parseCidr);

/** Who is meant: one or many of `10.0.0.0/8`, `::1` and `10.23.4.10-20`. */
export const cidrList: GenericSchema<unknown, readonly Cidr[]> = oneOrMany<Cidr>(
  scalar(
    'an address, a network such as "10.0.0.0/8" or a range such as "10.23.4.10-20"',
    (text): readonly Cidr[] | undefined => {
      const one = parseCidr(text);
      return one ? [one] : rangeBlocks(text);
    },
  ),
);

/** `10.0.0.1-10:8000`: ten hosts. One host is a list of one. */
export const hostRange: GenericSchema<unknown, readonly HostPort[]> = scalar(
  'a host or a range such as "10.0.0.1:8000" or "10.0.0.1-10:8000"',
  (text) => {
    const port = /:(\d+)$/.exec(text)?.[1];
    const hosts = expandRange(text);
    if (hosts === undefined && port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
      throw new Refusal(`port ${port} is out of range: ports go from 1 to 65535`);
    return hosts;
  },
);

/** A file or directory, made absolute: relative ones are from the config file. */
export const path = scalar("a path", (text) =>
  text === "" || text.includes("\0") ? undefined : resolvePath(text),
);

function readAddress(text: string): Address | undefined {
  const read = parseAddress(text);
  if (read?.kind === "unix") return { kind: "unix", path: resolvePath(read.path) };
  if (read !== undefined) return read;
  const [, host = "", port] = /^(?:(.*):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined) return undefined;
  if (Number(port) > 65_535)
    throw new Refusal(`port ${port} is out of range: ports go from 0 to 65535`);
  const meant = text === port || host === "*" ? `:${port}` : `127.0.0.1:${port}`;
  if (text === port || host === "*" || host === "localhost")
    throw new Refusal(`expected an address, got "${text}"; did you mean "${meant}"?`);
  return undefined;
}
