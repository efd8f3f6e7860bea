import { scalar } from "./scalar.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** The name of a host in lower case, without a dot at its end. */
export const hostName = scalar('a name such as "www.example.net"', readHost);

/** As certificates have them: `*.` allowed in front. */
export const dnsName = scalar('a DNS name such as "example.net"', (text) => {
  const star = text.startsWith("*.") ? "*." : "";
  const host = readHost(text.slice(star.length));
  return host === undefined ? undefined : star + host;
});

function readHost(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  return HOST.test(name) ? name : undefined;
}
