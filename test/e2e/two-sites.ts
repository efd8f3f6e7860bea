import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { certificate } from "../fake/certificate.ts";
import { freePort } from "../fake/ports.ts";
import { type Appliance, appliance, siteIn } from "./from-source.ts";

/** One process that serves the same directory in clear text and by TLS. */
export interface TwoSites extends AsyncDisposable {
  readonly tern: Appliance;
  readonly ports: { readonly clear: number; readonly tls: number };
}

/** Beside `hello.txt` there is `big.bin`, sparse, of so many bytes. `keys` are of both sites. */
export async function twoSites(big: number, keys: object): Promise<TwoSites> {
  const pair = await certificate({ names: ["localhost"] });
  const ports = { clear: await freePort(), tls: await freePort() };
  const tern = await appliance((dir) => {
    const [cert, key, root] = [join(dir, "a.pem"), join(dir, "a.key"), join(dir, "www")];
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
    writeFileSync(join(root, "big.bin"), "");
    truncateSync(join(root, "big.bin"), big);
    const site = (port: number) => ({
      listen: `127.0.0.1:${port}`,
      root,
      socket: { defer_accept: 0 }, // who says nothing is seen, too
      ...keys,
    });
    const web = { clear: site(ports.clear), tls: { ...site(ports.tls), tls: true } };
    return siteIn(dir, {}, { web, tls: { certificates: [{ cert, key }] } });
  });
  return { tern, ports, [Symbol.asyncDispose]: () => tern[Symbol.asyncDispose]() };
}
