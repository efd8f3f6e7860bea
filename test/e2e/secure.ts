import { certificate, type Made } from "../fake/certificate.ts";
import { freePort } from "../fake/ports.ts";
import { type Served, served } from "./binary.ts";

/** A tern with one TLS site, and the certificate it has. */
export interface Secure extends AsyncDisposable {
  readonly tern: Served;
  readonly port: number;
  readonly url: string;
  readonly authority: Made;
  /** Path of the authority's certificate. */
  readonly ca: string;
}

/** Names of the two certificates; the first answers unknown names. */
export const FIRST = "first.example";
export const SECOND = "second.example";

/** Two certificates, `big.bin` of 300 000 bytes, `hello.txt`; `options` are lines of the site. */
export async function secure(options = "", tls = "", workers = 1): Promise<Secure> {
  const [port, admin] = await Promise.all([freePort(), freePort()]);
  const authority = await certificate({ common: "tern test CA", authority: true });
  const config = `
workers: ${workers}
admin: { listen: 127.0.0.1:${admin} }
tls:
  certificates: [{ cert: ./a.pem, key: ./a.key }, { cert: ./b.pem, key: ./b.key }]
  ${tls}
web:
  site:
    listen: ["127.0.0.1:${port}"]
    root: ./www
    tls: true
    ${options}
`;
  const tern = await served(config, [port], async (dir) => {
    await Bun.write(`${dir}/ca.pem`, authority.cert);
    await writePair(
      dir,
      "a",
      await certificate({ names: [FIRST, "localhost"], issuer: authority }),
    );
    await writePair(
      dir,
      "b",
      await certificate({ names: [SECOND, `*.${SECOND}`], issuer: authority }),
    );
    await Bun.write(`${dir}/www/hello.txt`, "hello");
    await Bun.write(`${dir}/www/big.bin`, new Uint8Array(BIG).fill(7));
  });
  const url = `https://localhost:${port}`;
  const ca = `${tern.dir}/ca.pem`;
  return {
    tern,
    port,
    url,
    authority,
    ca,
    [Symbol.asyncDispose]: () => tern[Symbol.asyncDispose](),
  };
}

export const BIG = 300_000;

export async function writePair(dir: string, name: string, made: Made): Promise<void> {
  await Bun.write(`${dir}/${name}.key`, made.key);
  await Bun.write(`${dir}/${name}.pem`, made.cert);
}
