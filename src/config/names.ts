import { parseIp } from "../core/ip.ts";
import { Refusal, scalar } from "./scalar.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** The name of a host in lower case, without a dot at its end. */
export const hostName = scalar('a name such as "www.example.net"', readHost);

/** What a CA is asked for by ACME: a host, or `*.` and a name whose zone is served here. */
export const acmeName = scalar('a DNS name such as "example.net"', (text) => {
  if (parseIp(text) !== undefined)
    throw new Refusal(`no certificate for ${text} by ACME: it is an address, not a DNS name`);
  if (!text.startsWith("*.")) return readHost(text);
  const name = readHost(text.slice(2));
  return name === undefined ? undefined : `*.${name}`;
});

function readHost(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  return HOST.test(name) ? name : undefined;
}
