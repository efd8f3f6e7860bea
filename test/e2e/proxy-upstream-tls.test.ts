/** nginx behind the proxy, over TLS: who it has to be, and who we are. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { certificate } from "../fake/certificate.ts";
import { accepts, freePort } from "../fake/ports.ts";
import { proxying } from "../fake/proxying.ts";
import { temporary } from "../fake/temporary.ts";
import { until } from "./from-source.ts";

setDefaultTimeout(30_000); // nginx starts, on a machine that may be busy

const missing = Bun.which("nginx") === null;
if (missing) process.stderr.write("SKIPPED: no nginx\n");
const withNginx = test.skipIf(missing);

const stack = new AsyncDisposableStack();
const BIG = "0123456789abcdef".repeat(256 * 1024);
let dir = "";
let port = 0;
const file = (name: string): string => join(dir, name);

beforeAll(async () => {
  if (missing) return;
  dir = stack.use(await temporary()).path;
  const ca = await certificate({ common: "CA", authority: true });
  const made = {
    a: await certificate({ names: ["a.example", "127.0.0.1"], issuer: ca }),
    b: await certificate({ names: ["b.example"], issuer: ca }),
    old: await certificate({ names: ["old.example"], issuer: ca, from: -9, to: -1 }),
    us: await certificate({ common: "the edge", issuer: ca }),
  };
  await Bun.write(file("ca.pem"), ca.cert);
  for (const [name, pair] of Object.entries(made)) {
    await Bun.write(file(`${name}.pem`), pair.cert);
    await Bun.write(file(`${name}.key`), pair.key);
  }
  mkdirSync(file("www"));
  await Bun.write(file("www/big"), BIG);
  port = await freePort();
  const server = (name: string, isDefault = ""): string => `
    server { listen 127.0.0.1:${port} ssl ${isDefault}; server_name ${name}.example; root ${dir}/www;
      ssl_certificate ${dir}/${name}.pem; ssl_certificate_key ${dir}/${name}.key;
      ssl_verify_client optional; ssl_client_certificate ${dir}/ca.pem;
      location = /who { return 200 "${name} $ssl_server_name $ssl_client_verify $connection_requests"; } }`;
  await Bun.write(
    file("nginx.conf"),
    `daemon off; master_process off; user root; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events {} http { access_log off; ${server("a", "default_server")} ${server("b")} ${server("old")} }`,
  );
  const child = Bun.spawn(["nginx", "-c", file("nginx.conf"), "-p", dir], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  await until(() => accepts(port));
});
afterAll(() => stack.disposeAsync());

/** One that asks nginx this way, under the name it expects in both places, and what it answers. */
async function edge(tls: { readonly server_name?: string }, keys: object = {}) {
  const backend_tls = { ca: file("ca.pem"), ...tls };
  const route = { pool: "app", host_header: tls.server_name ?? "a.example", backend_tls, ...keys };
  const made = await proxying([port], { routes: [route] });
  const get = (path = "/who") =>
    fetch(`http://127.0.0.1:${made.port}${path}`, { keepalive: false });
  return Object.assign(made, { get });
}

withNginx.each<{ story: string; tls: () => object; keys?: object; said: string | 502 }>([
  {
    story: "its name is said and verified",
    tls: () => ({ server_name: "a.example" }),
    said: "a a.example NONE",
  },
  {
    story: "another name, another certificate",
    tls: () => ({ server_name: "b.example" }),
    said: "b b.example NONE",
  },
  {
    story: "no name: its address is verified",
    tls: () => ({}),
    keys: { host_header: "client" },
    said: "a  NONE",
  },
  {
    story: "the name that it sees as Host",
    tls: () => ({}),
    keys: { host_header: "b.example" },
    said: "b b.example NONE",
  },
  { story: "a name that is not its own", tls: () => ({ server_name: "c.example" }), said: 502 },
  {
    story: "a certificate that has expired",
    tls: () => ({ server_name: "old.example" }),
    said: 502,
  },
  {
    story: "nobody known has signed it",
    tls: () => ({ server_name: "a.example", ca: null }),
    said: 502,
  },
  {
    story: "whoever it is",
    tls: () => ({ server_name: "old.example", ca: null, verify: false }),
    said: "old old.example NONE",
  },
  {
    story: "shown who we are",
    tls: () => ({
      server_name: "a.example",
      certificate: { cert: file("us.pem"), key: file("us.key") },
    }),
    said: "a a.example SUCCESS",
  },
])("$story: $said", async ({ tls, keys, said }) => {
  await using one = await edge(tls(), keys);
  const answer = await one.get();
  expect(answer.status).toBe(said === 502 ? 502 : 200);
  if (said !== 502) expect(await answer.text()).toBe(`${said} 1`);
  expect(one.pool.servers[0]?.diary).toContain(said === 502 ? "failed: tls" : "connected");
});

withNginx("connections are kept, and carry much", async () => {
  await using one = await edge({ server_name: "a.example" });
  await one.get();
  expect(await (await one.get()).text()).toEndWith(" 2");
  expect(await (await one.get("/big")).text()).toBe(BIG);
  expect(await (await one.get()).text()).toEndWith(" 4");
});
