import { join } from "node:path";

import * as v from "valibot";

import type { Certificates } from "../../../src/net/certificates.ts";
import type { HttpFronts } from "../../../src/net/http-fronts.ts";
import { type DnsConfig, dnsSchema } from "../../../src/services/dns/config.ts";
import { dns } from "../../../src/services/dns/dns.ts";
import type { Host, Instance } from "../../../src/services/service.ts";
import { fakeHost } from "../../fake/host.ts";
import { freePort } from "../../fake/ports.ts";
import { temporary } from "../../fake/temporary.ts";

/** A server of DNS on a port of its own. */
export interface Serving extends AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  readonly host: Host;
  readonly instance: Instance;
  /** Write a zone file; it is not in force before a reload. */
  write(name: string, text: string): Promise<string>;
  /** What a reload does, with these keys changed. Rejects as `prepare` does. */
  reload(keys?: object): Promise<void>;
}

/** The zone of most of these tests. */
export const ZONE = `
$TTL 300
@ SOA ns1 hostmaster 7 3600 900 1209600 300
@ NS ns1
@ NS ns2
@ MX 10 mail
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
www A 192.0.2.11
www AAAA 2001:db8::10
mail A 192.0.2.25
alias CNAME www
to CNAME a.i
*.wild TXT hello
sub NS ns.sub
ns.sub A 192.0.2.53
many TXT ${Array.from({ length: 20 }, (_, i) => `"${String(i).repeat(100).slice(0, 100)}"`).join(" ")}
some TXT ${Array.from({ length: 4 }, (_, i) => `"${String(i).repeat(100)}"`).join(" ")}
`;

/** Serve `zones` (name to text) under `keys` of a server's config. */
export async function serving(
  keys: object = {},
  zones: Readonly<Record<string, string>> = { "example.net": ZONE },
  wishes: Parameters<typeof fakeHost>[0] & {
    readonly certificates?: Certificates;
    readonly http?: HttpFronts;
  } = {},
): Promise<Serving> {
  await using begun = new AsyncDisposableStack(); // what was made for one that cannot begin is gone, too
  const dir = begun.use(await temporary()).path;
  const base = begun.use(fakeHost(wishes));
  const host = Object.create(base, {
    ...(wishes.certificates && { certificates: { value: wishes.certificates } }),
    ...(wishes.http && { http: { value: wishes.http } }),
  }) as typeof base;
  const port = await freePort();
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(dir, `${name}.zone`);
    await Bun.write(file, text);
    return file;
  };
  const files: Record<string, string> = {};
  for (const [name, text] of Object.entries(zones)) files[name] = await write(name, text);
  const config = (more: object): DnsConfig => {
    const { zones: changed = {}, ...others } = more as { zones?: Record<string, object> };
    const own = Object.entries(files).map(([name, file]) => [name, { file, ...changed[name] }]);
    const all = { ...changed, ...Object.fromEntries(own) };
    return v.parse(dnsSchema, { ns: { listen: `127.0.0.1:${port}`, zones: all, ...others } });
  };
  let instance = await dns.prepare(config(keys), host);
  instance.start();
  begun.defer(() => instance.stop(AbortSignal.timeout(100)));
  const running = begun.move();
  return {
    port,
    dir,
    host,
    get instance() {
      return instance;
    },
    write,
    async reload(more = keys) {
      const next = await dns.prepare(config(more), host);
      next.start();
      const old = instance;
      instance = next;
      await old.stop(AbortSignal.timeout(1000));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What another's client prints. */
export async function said(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return out + err;
}

/** dig, quick to give up. */
export function dig(port: number, ...args: string[]): Promise<string> {
  return said("dig", "@127.0.0.1", "-p", String(port), "+tries=1", "+time=2", ...args);
}
export function kdig(port: number, ...args: string[]): Promise<string> {
  return said("kdig", "@127.0.0.1", "-p", String(port), "+retry=0", "+time=2", ...args);
}
