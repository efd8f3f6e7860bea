/** Zones over TLS (RFC 9103), from others' servers and to them. */
import { beforeAll, describe, expect, test } from "bun:test";
import { createServer, type TlsOptions } from "node:tls";

import { noCertificates } from "../../../../src/net/certificates.ts";
import type { ServerStatus } from "../../../../src/services/dns/server-status.ts";
import { certificate, type Made } from "../../../fake/certificate.ts";
import { freePort } from "../../../fake/ports.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { dig, type Serving, serving } from "../serving.ts";
import { FOLLOWERS, PRIMARIES, reaches } from "./primaries.ts";

const NAME = "ns.example.net";
/** For each step of servers that share two busy cores. */
const PATIENCE_MS = 30_000;

function zone(serial: number): string {
  const many = Array.from({ length: 3000 }, (_, i) => `h${i} A 10.0.${i >>> 8}.${i & 255}`);
  return `$ORIGIN example.net.\n$TTL 300\n@ SOA ns1 admin ${serial} 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.${serial}\n${many.join("\n")}\n`;
}

let authority: Made;
let named: Made;
beforeAll(async () => {
  authority = await certificate({ common: "tern test CA", authority: true });
  named = await certificate({ names: [NAME], issuer: authority });
});

/** The certificate as files. */
async function pems(dir: string): Promise<{ ca: string; cert: string; key: string }> {
  const at = { ca: `${dir}/ca.pem`, cert: `${dir}/own.pem`, key: `${dir}/own.key` };
  await Bun.write(at.ca, authority.cert);
  await Bun.write(at.cert, named.cert);
  await Bun.write(at.key, named.key);
  return at;
}

for (const { name, start, here, tls, differences } of PRIMARIES.filter((one) => one.tls))
  describe(`from ${name}`, () =>
    needs(here && tls, name)(
      "a zone comes over TLS, and so does what changes",
      async () => {
        await using directory = await temporary();
        const dir = directory.path;
        const files = await pems(dir);
        await using tern = await serving({}, {});
        const port = await freePort();
        await using primary = await start({
          dir,
          zone: zone(1),
          notify: tern.port,
          tls: { port, cert: files.cert, key: files.key },
        });
        const from = {
          primaries: `127.0.0.1:${port}`,
          primaries_tls: { server_name: NAME, ca: files.ca },
        };
        await tern.reload({ zones: { "example.net": from } });
        await reaches(tern.port, 1, PATIENCE_MS);
        await primary.update(zone(2));
        await reaches(tern.port, 2, PATIENCE_MS);
        expect(await dig(tern.port, "+short", "www.example.net", "A")).toBe("192.0.2.2\n");
        expect(await zoneOf(tern)).toMatchObject({
          state: "good",
          primaries: [`127.0.0.1:${port}`],
        });
        expect(differences).toBe(name === "BIND");
      },
      3 * PATIENCE_MS,
    ));

for (const { name, start, here, tls } of FOLLOWERS.filter((one) => one.tls))
  describe(`${name} follows us`, () =>
    needs(here && tls, name)(
      "over TLS, and gets nothing in clear",
      async () => {
        await using directory = await temporary();
        const files = await pems(directory.path);
        const [port, secure] = [await freePort(), await freePort()];
        const own = {
          transfer: "127.0.0.1",
          transfer_over: "tls",
          notify: `127.0.0.1:${port}`,
        };
        const store = { ...noCertificates, find: () => ({ ...named, names: [NAME] }) };
        await using tern = await serving(
          { zones: { "example.net": own }, tls: { listen: `127.0.0.1:${secure}` } },
          { "example.net": zone(1) },
          { certificates: store },
        );
        expect(await dig(tern.port, "example.net", "AXFR")).toContain("Transfer failed");
        await using _ = await start({
          dir: directory.path,
          port,
          primary: secure,
          tls: { name: NAME, ca: files.ca },
        });
        await reaches(port, 1, PATIENCE_MS);
        await tern.write("example.net", zone(2));
        await tern.reload();
        await reaches(port, 2, PATIENCE_MS);
      },
      3 * PATIENCE_MS,
    ));

describe("whoever else answers on the port of a primary is told nothing", () => {
  const rows: {
    story: string;
    tls: () => Promise<TlsOptions>;
    wanted?: { server_name?: string; ca?: boolean };
    why: string;
  }[] = [
    {
      story: "a certificate for another name",
      tls: async () => certificate({ names: ["other.example.net"], issuer: authority }),
      why: "its certificate: Hostname/IP does not match certificate's altnames: Host: ns.example.net.",
    },
    {
      story: "one for another address, where no name is said",
      tls: async () => named,
      wanted: {},
      why: "its certificate: Hostname/IP does not match",
    },
    {
      story: "one that it has signed itself",
      tls: async () => certificate({ names: [NAME] }),
      why: "its certificate: DEPTH_ZERO_SELF_SIGNED_CERT",
    },
    {
      story: "one of a CA that we do not know",
      tls: async () => named,
      wanted: { server_name: NAME, ca: false },
      why: "its certificate: UNABLE_TO_",
    },
    {
      story: "one that speaks TLS 1.2 only",
      tls: async () => ({ ...named, maxVersion: "TLSv1.2" }),
      why: "ERR_SSL_",
    },
  ];
  test.each(rows)("$story", async ({ tls, wanted = { server_name: NAME }, why }) => {
    await using directory = await temporary();
    const files = await pems(directory.path);
    let heard = 0;
    const server = createServer({ ALPNProtocols: ["dot"], ...(await tls()) }, (socket) => {
      socket.on("data", ({ length }: Buffer) => (heard += length));
      socket.on("error", () => {});
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as { port: number };
    const { ca = true, ...more } = wanted;
    const from = {
      primaries: `127.0.0.1:${port}`,
      primaries_tls: { ...more, ...(ca && { ca: files.ca }) },
    };
    await using tern = await serving({ zones: { "example.net": from } }, {});
    const said = await problemsOf(tern);
    server.close();
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`127.0.0.1:${port}: ${why}`);
    expect(heard).toBe(0);
  });
});

async function zoneOf(tern: Serving): Promise<ServerStatus["zones"][number] | undefined> {
  const all = await tern.instance.actions?.["status"]?.run({});
  return (all as Record<string, ServerStatus>)["ns"]?.zones[0];
}

/** What is wrong with the zone, once there is something. */
async function problemsOf(tern: Serving): Promise<readonly string[]> {
  for (let i = 0; i < 400; i++) {
    const problems = (await zoneOf(tern))?.problems ?? [];
    if (problems.length > 0) return problems;
    await Bun.sleep(25);
  }
  return [];
}

test.each([
  { zone: { file: "x", primaries_tls: {} }, says: "only a zone with `primaries` is fetched" },
  { zone: { file: "x", transfer_over: "tls" }, says: "there is no `tls` to transfer over" },
  {
    zone: { primaries: "127.0.0.1:1", primaries_tls: { ca: "/nowhere/ca.pem" } },
    says: "/nowhere/ca.pem",
  },
])("a config that cannot be meant: $says", async ({ zone: one, says }) => {
  expect(serving({ zones: { "example.net": one } }, {})).rejects.toThrow(says);
});
