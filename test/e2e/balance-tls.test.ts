import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { connect, type TLSSocket } from "node:tls";

import { certificate, type Made } from "../fake/certificate.ts";
import { freePort } from "../fake/ports.ts";
import { appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // a whole program starts and ends, on a machine that may be busy

const ends: (() => unknown)[] = [];
afterAll(() => ends.splice(0).forEach((end) => end()));

const ca = await certificate({ common: "CA", authority: true });
const first = await certificate({ names: ["a.example"], issuer: ca });
const second = await certificate({ names: ["a.example", "b.example"], issuer: ca });

/** A server that says its name and then what it hears. */
async function named(name: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${name} `);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  const at = server.address();
  return `127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`;
}

async function client(
  port: number,
  servername = "a.example",
): Promise<TLSSocket & { heard(): string }> {
  const socket = connect({ host: "127.0.0.1", port, servername, ca: ca.cert });
  ends.push(() => socket.destroy());
  let heard = "";
  socket.on("data", (bytes: Buffer) => (heard += bytes.toString()));
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return Object.assign(socket, { heard: () => heard });
}

const names = (socket: TLSSocket): string => socket.getPeerCertificate().subjectaltname ?? "";

test("TLS ends in every worker; a reload brings new certificates and groups, and cuts nobody off", async () => {
  const [tls, udp] = [await freePort(), await freePort()];
  const [one, two] = [await named("one"), await named("two")];
  const answerer = createSocket("udp4", (bytes, from) =>
    answerer.send(`said ${bytes.toString()}`, from.port, from.address),
  );
  await new Promise<void>((resolve) => answerer.bind(0, "127.0.0.1", resolve));
  ends.push(() => answerer.close());
  const config =
    (made: Made, enable: string) =>
    (dir: string): object =>
      siteIn(
        dir,
        {},
        {
          workers: 2,
          tls: {
            certificates: [
              {
                cert: `${dir}/${made === first ? 1 : 2}.pem`,
                key: `${dir}/${made === first ? 1 : 2}.key`,
              },
            ],
          },
          pools: {
            one: { hosts: [one] },
            two: { hosts: [two] },
            udp: { hosts: [`127.0.0.1:${answerer.address().port}`] },
          },
          balance: {
            safe: {
              listen: `127.0.0.1:${tls}`,
              tls: "terminate",
              groups: { one: { pool: "one" }, two: { pool: "two" } },
              enable,
              sni: { "b.example": "two" },
            },
            datagrams: {
              listen: `127.0.0.1:${udp}`,
              protocol: "udp",
              groups: { main: { pool: "udp" } },
              udp: { replies: 1 },
            },
          },
        },
      );
  await using tern = await appliance((dir) => {
    for (const [name, made] of [
      ["1", first],
      ["2", second],
    ] as const) {
      Bun.spawnSync(["tee", `${dir}/${name}.pem`], { stdin: Buffer.from(made.cert) });
      Bun.spawnSync(["tee", `${dir}/${name}.key`], { stdin: Buffer.from(made.key) });
    }
    return config(first, "one")(dir);
  });

  const old = await Promise.all(Array.from({ length: 8 }, () => client(tls)));
  for (const socket of old) socket.write("hello");
  await until(() => old.every((socket) => socket.heard() === "one hello"));
  expect(old.map(names)).toEqual(old.map(() => "DNS:a.example"));

  const asker = createSocket("udp4");
  ends.push(() => asker.close());
  const answers: string[] = [];
  asker.on("message", (bytes) => answers.push(bytes.toString()));
  for (let i = 0; i < 10; i++) asker.send(String(i), udp, "127.0.0.1");
  await until(() => answers.length === 10);

  await tern.rewrite(config(second, "two")(tern.dir));
  expect((await tern.verb("reload")).code).toBe(0);
  const fresh = await client(tls);
  await until(() => fresh.heard() === "two ");
  expect(names(fresh)).toBe("DNS:a.example, DNS:b.example");
  const routed = await client(tls, "b.example");
  await until(() => routed.heard() === "two ");
  for (const socket of old) socket.write(" again");
  await until(() => old.every((socket) => socket.heard() === "one hello again"));

  expect(tern.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test.each([
  { keys: { client_ca: "x.pem" }, says: "needs `tls: terminate`" },
  { keys: { sni: { "a.example": "nowhere" }, tls: "pass" }, says: '"nowhere" is no group' },
  { keys: { sni: { "a.example": "main" } }, says: "needs `tls: pass` or `tls: terminate`" },
  { keys: { tls: "pass", backend_tls: {} }, says: "passes through already" },
  { keys: { protocol: "udp", tls: "terminate" }, says: "not with `protocol: udp`" },
  { keys: { protocol: "udp", send_proxy: "v2" }, says: "not with `protocol: udp`" },
  { keys: { tls: "terminate", client_ca: "/nowhere.pem" }, says: "/nowhere.pem: no such file" },
])("tern check: $says", async ({ keys, says }) => {
  await using tern = await appliance((dir) => siteIn(dir));
  await tern.rewrite(
    siteIn(
      tern.dir,
      {},
      {
        pools: { app: { hosts: ["127.0.0.1:1"] } },
        balance: {
          b: { listen: "127.0.0.1:0", groups: { main: { pool: "app" } }, ...keys },
        },
      },
    ),
  );
  const { code, out, err } = await tern.verb("reload");
  expect([code === 0, `${out}${err}`]).toEqual([false, expect.stringContaining(says)]);
});
