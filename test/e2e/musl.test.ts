import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { existsSync } from "node:fs";

import { certificate } from "../fake/certificate.ts";
import { haveMusl, muslIn } from "../fake/musl.ts";
import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said, served, TERN, TERN_MUSL } from "./binary.ts";

describe.skipIf(!haveMusl || !existsSync(TERN_MUSL))("the musl binary, with musl", () => {
  let library: Awaited<ReturnType<typeof temporary>>;
  let musl: string[];
  beforeAll(async () => {
    library = await temporary();
    musl = [...(await muslIn(library.path, TERN_MUSL)), TERN_MUSL];
  });
  afterAll(() => library[Symbol.asyncDispose]());

  test("has the same version", async () => {
    const [ours, its] = await Promise.all([said([TERN, "version"]), said([...musl, "version"])]);
    expect(its).toEqual(ours);
  });

  test("checks a config", async () => {
    await using dir = await temporary();
    await Bun.write(`${dir.path}/tern.yaml`, "web:\n  site:\n    rot: ./www\n");
    const { code, out, err } = await said([...musl, "check", "-c", `${dir.path}/tern.yaml`]);
    expect(code).toBe(1);
    expect(out + err).toContain('did you mean "root"');
  });

  test.each([1, 2])(
    "serves files, in clear and over TLS, and names: workers: %d",
    async (workers) => {
      const [port, tls, dns, admin] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const made = await certificate({ names: ["localhost"] });
      const config = `
workers: ${workers}
admin: { listen: 127.0.0.1:${admin} }
tls: { certificates: [{ cert: ./cert.pem, key: ./key.pem }] }
web:
  site: { listen: ["127.0.0.1:${port}"], root: ./www }
  secure: { listen: ["127.0.0.1:${tls}"], root: ./www, tls: true }
dns: { ns: { listen: "127.0.0.1:${dns}", zones: { example.net: { file: ./zone } } } }
`;
      const large = Buffer.alloc(3_000_000, "0123456789abcdef");
      await using tern = await served(
        config,
        [port, tls, dns],
        async (dir) => {
          await Bun.write(`${dir}/www/hello.txt`, "hello");
          await Bun.write(`${dir}/www/large.bin`, large);
          await Bun.write(`${dir}/cert.pem`, made.cert);
          await Bun.write(`${dir}/key.pem`, made.key);
          await Bun.write(
            `${dir}/zone`,
            "@ 60 SOA ns h 1 60 60 60 60\n@ 60 NS ns\nwww 60 A 192.0.2.1\n",
          );
        },
        musl,
      );
      for (const at of [`http://127.0.0.1:${port}`, `https://localhost:${tls}`]) {
        const answer = await fetch(`${at}/hello.txt`, { tls: { ca: made.cert } });
        expect([answer.status, await answer.text()]).toEqual([200, "hello"]);
        const sent = await fetch(`${at}/large.bin`, { tls: { ca: made.cert } });
        expect(large.equals(await sent.bytes())).toBe(true);
      }
      const resolver = new Resolver();
      resolver.setServers([`127.0.0.1:${dns}`]);
      expect(await resolver.resolve4("www.example.net")).toEqual(["192.0.2.1"]);
      const status = await tern.verb("status", "--json");
      expect(status.code).toBe(0);
      expect(tern.log()).not.toContain('"level":"error"');
      expect(await tern.stop()).toBe(0);
    },
  );
});
