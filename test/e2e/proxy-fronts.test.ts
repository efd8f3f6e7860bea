/** HTTP/2 and HTTP/3 in front, TLS behind: clients and a server that nobody here wrote. */
import { expect, setDefaultTimeout } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";

import { certificate } from "../fake/certificate.ts";
import { accepts, freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { served } from "./binary.ts";
import { until } from "./from-source.ts";

setDefaultTimeout(60_000);

const BIG = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 3);
const has = (...programs: string[]): boolean => programs.every((one) => Bun.which(one) !== null);

/** nginx with TLS, and a proxy before it that speaks everything. */
async function edge() {
  const stack = new AsyncDisposableStack();
  const { path: dir } = stack.use(await temporary());
  const [behind, port] = await Promise.all([freePort(), freePort()]);
  const ca = await certificate({ common: "CA", authority: true });
  const pair = await certificate({ names: ["localhost"], issuer: ca });
  await Bun.write(`${dir}/ca.pem`, ca.cert);
  await Bun.write(`${dir}/a.pem`, pair.cert);
  await Bun.write(`${dir}/a.key`, pair.key);
  await mkdir(`${dir}/www`);
  await Bun.write(`${dir}/www/big.bin`, BIG);
  await Bun.write(
    `${dir}/nginx.conf`,
    `daemon off; master_process off; user root; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events {} http { access_log off; client_body_temp_path ${dir}/body;
       server { listen 127.0.0.1:${behind} ssl; root ${dir}/www;
         ssl_certificate ${dir}/a.pem; ssl_certificate_key ${dir}/a.key;
         location = /who { return 200 "$server_protocol $http_via $http_x_forwarded_proto"; } } }`,
  );
  const nginx = Bun.spawn(["nginx", "-c", `${dir}/nginx.conf`, "-p", dir], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  stack.defer(async () => {
    nginx.kill("SIGKILL");
    await nginx.exited;
  });
  await until(() => accepts(behind));
  const config = `
admin: { listen: [] }
tls: { certificates: [{ cert: ${dir}/a.pem, key: ${dir}/a.key }] }
pools: { app: { hosts: ["127.0.0.1:${behind}"] } }
proxy:
  edge:
    listen: ["127.0.0.1:${port}"]
    tls: true
    http3: true
    routes: [{ pool: app, backend_tls: { ca: ${dir}/ca.pem, server_name: localhost } }]
`;
  stack.use(await served(config, [port], async () => {}));
  return {
    dir,
    port,
    url: `https://localhost:${port}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

needs(has("nginx", "curl"), "nginx and curl")("HTTP/2 in front, TLS behind", async () => {
  await using one = await edge();
  const curl = ["curl", "-sS", "--http2", "--cacert", `${one.dir}/ca.pem`];
  const who = await Bun.$`${curl} -w ${" %{http_version}"} ${one.url}/who`.text();
  expect(who).toMatch(/^HTTP\/1\.1 2(\.0)? \S+ https 2$/);
  const big = await Bun.$`${curl} ${one.url}/big.bin`.arrayBuffer();
  expect(Buffer.from(big).equals(BIG)).toBe(true);
});

needs(has("nginx", "gtlsclient"), "nginx and ngtcp2's client")(
  "HTTP/3 in front, TLS behind",
  async () => {
    await using one = await edge();
    const got = `${one.dir}/got`;
    await mkdir(got);
    const to = ["127.0.0.1", `${one.port}`, `${one.url}/who`, `${one.url}/big.bin`];
    const child = Bun.spawn(
      ["gtlsclient", "-q", "--exit-on-all-streams-close", `--download=${got}`, ...to],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
    expect(await child.exited).toBe(0);
    expect((await readdir(got)).toSorted()).toEqual(["big.bin", "who"]);
    expect(await Bun.file(`${got}/who`).text()).toMatch(/^HTTP\/1\.1 3(\.0)? \S+ https$/);
    expect(Buffer.from(await Bun.file(`${got}/big.bin`).bytes()).equals(BIG)).toBe(true);
  },
);
