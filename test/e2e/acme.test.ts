import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:tls";

import { havePebble, type Pebble, pebble } from "../fake/pebble.ts";
import { freePort } from "../fake/ports.ts";
import { served } from "./binary.ts";

const PATIENCE_MS = 20_000;

describe.skipIf(!havePebble)("tern and a CA", () => {
  let ca: Pebble;
  beforeAll(async () => {
    ca = await pebble();
  });
  afterAll(() => ca[Symbol.asyncDispose]());

  const config = (
    workers: number,
    name: string,
    ports: Record<"plain" | "tls" | "admin", number>,
  ): string => `
workers: ${workers}
admin: { listen: 127.0.0.1:${ports.admin} }
tls: { acme: { directory: "${ca.directory}", names: [${name}], ca: "${ca.ca}" } }
web:
  plain: { listen: ["127.0.0.1:${ports.plain}"], root: ./www }
  secure: { listen: ["127.0.0.1:${ports.tls}"], root: ./www, tls: true }
`;

  test.each([
    { story: "http-01, one process", workers: 1, name: "one.example", plain: "http" },
    {
      story: "http-01, any of two workers may be asked",
      workers: 2,
      name: "two.example",
      plain: "http",
    },
    {
      story: "tls-alpn-01, when port 80 is another's",
      workers: 2,
      name: "alpn.example",
      plain: "other",
    },
  ] as const)(
    "$story",
    async ({ workers, name, plain }) => {
      const [other, admin] = await Promise.all([freePort(), freePort()]);
      const ports = { plain: plain === "http" ? ca.httpPort : other, tls: ca.tlsPort, admin };
      await using tern = await served(config(workers, name, ports), [ports.tls], async (dir) => {
        await Bun.write(`${dir}/www/index.html`, "hello");
      });
      const first = await issuerOf(ports.tls, name);
      expect(first).toMatch(/tern|Pebble/); // answered at once, by whatever there is
      const end = performance.now() + PATIENCE_MS;
      while (!(await issuerOf(ports.tls, name)).includes("Pebble")) {
        if (performance.now() > end) throw new Error(tern.log());
        await Bun.sleep(100);
      }
      expect(await tern.stop()).toBe(0);
    },
    2 * PATIENCE_MS,
  );
});

describe.skipIf(!havePebble)("tern, its own zones and a CA that asks them", () => {
  test.each([
    { story: "one process", workers: 1, dnssec: "off" },
    { story: "two workers, of a zone that is signed as it is asked", workers: 2, dnssec: "online" },
  ])(
    "a wildcard is proved in the DNS: $story",
    async ({ workers, dnssec }) => {
      const [dns, secure, admin] = await Promise.all([freePort(), freePort(), freePort()]);
      await using ca = await pebble({ asks: dns });
      const config = `
workers: ${workers}
admin: { listen: 127.0.0.1:${admin} }
tls: { acme: { directory: "${ca.directory}", names: ["*.example.net"], ca: "${ca.ca}" } }
dns:
  ns:
    listen: 127.0.0.1:${dns}
    zones: { example.net: { file: ./zone, dnssec: ${dnssec} } }
web: { secure: { listen: ["127.0.0.1:${secure}"], root: ./www, tls: true } }
`;
      await using tern = await served(config, [secure, dns], async (dir) => {
        await Bun.write(`${dir}/www/index.html`, "hello");
        await Bun.write(
          `${dir}/zone`,
          "$TTL 60\n@ SOA ns h 1 60 60 60 60\n NS ns\nns A 127.0.0.1\n",
        );
      });
      const end = performance.now() + PATIENCE_MS;
      while (!(await issuerOf(secure, "any.example.net")).includes("Pebble")) {
        if (performance.now() > end) throw new Error(tern.log());
        await Bun.sleep(100);
      }
      expect(await tern.stop()).toBe(0);
    },
    2 * PATIENCE_MS,
  );
});

/** Common name of the issuer of what answers for a name. */
function issuerOf(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      resolve(String(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
