import { parseIp } from "../core/ip.ts";
import { Refusal, scalar } from "./scalar.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** The name of a host in lower case, without a dot at its end. */
export const hostName = scalar('a name such as "www.example.net"', readHost);

/** What a CA is asked for by ACME: it looks for the proof at that name, over HTTP or TLS. */
export const acmeName = scalar('a DNS name such as "example.net"', (text) => {
  if (text.startsWith("*."))
    throw new Refusal(
      `no certificate for ${text} by ACME: wildcards need proof in the DNS (dns-01), which tern does not do; name the hosts one by one, or put a certificate under "certificates"`,
    );
  if (parseIp(text) !== undefined)
    throw new Refusal(`no certificate for ${text} by ACME: it is an address, not a DNS name`);
  return readHost(text);
});

function readHost(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  return HOST.test(name) ? name : undefined;
}
