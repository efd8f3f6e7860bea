/**
 * Programs of others on both sides of the balancer: they see each other as if there were nobody in
 * between. One appliance of two workers, a service for each kind of server.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { certificate } from "../fake/certificate.ts";
import { accepts, freePort } from "../fake/ports.ts";
import { realRedis } from "../fake/redis.ts";
import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // several programs, on a machine that may be busy

const TOOLS = ["redis-server", "redis-cli", "nginx", "socat", "nc", "curl", "openssl", "sha256sum"];
const missing = TOOLS.filter((name) => Bun.which(name) === null);
if (missing.length > 0) process.stderr.write(`SKIPPED: no ${missing.join(", ")}\n`);
const withTools = test.skipIf(missing.length > 0);

const BIG = 20 * 2 ** 20;

const stack = new AsyncDisposableStack();
const ports: Record<string, number> = {};
let tern: Appliance;
let dir: string;
let url: string;

/** A program that runs until the end. */
function running(...command: string[]): void {
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
}

const sh = (script: string) => said(["sh", "-c", script]);

beforeAll(async () => {
  if (missing.length > 0) return;
  dir = stack.use(await temporary()).path;
  const redis = stack.use(await realRedis());
  url = redis.url;
  const [nginx, sums, tls] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(join(dir, "www", "in"), { recursive: true });
  await Bun.write(
    join(dir, "www", "big.bin"),
    crypto
      .getRandomValues(new Uint8Array(65_536))
      .toHex()
      .repeat(BIG / 131_072),
  );
  await Bun.write(
    join(dir, "nginx.conf"),
    `daemon off; user root; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events {} http { access_log off; client_body_temp_path ${dir}/body; client_max_body_size 100m;
     server { listen 127.0.0.1:${nginx}; root ${dir}/www; location /in/ { dav_methods PUT; } } }`,
  );
  running("nginx", "-c", join(dir, "nginx.conf"), "-p", dir);
  running("socat", `TCP-LISTEN:${sums},bind=127.0.0.1,fork,reuseaddr`, "EXEC:sha256sum");
  const pair = await certificate({ names: ["inner.example"] });
  await Bun.write(join(dir, "tls.pem"), pair.cert);
  await Bun.write(join(dir, "tls.key"), pair.key);
  running(
    "openssl",
    "s_server",
    "-quiet",
    "-www",
    "-accept",
    `127.0.0.1:${tls}`,
    "-cert",
    join(dir, "tls.pem"),
    "-key",
    join(dir, "tls.key"),
  );
  for (const port of [nginx, sums, tls]) await until(() => accepts(port));

  const backends = { redis: Number(new URL(url).port), nginx, sums, tls, banner: await freePort() };
  for (const name of Object.keys(backends)) ports[name] = await freePort();
  const entries = Object.entries(backends);
  tern = stack.use(
    await appliance((home) =>
      siteIn(
        home,
        {},
        {
          workers: 2,
          web: undefined,
          pools: Object.fromEntries(
            entries.map(([name, port]) => [
              name,
              { hosts: [`127.0.0.1:${port}`], checktime: "100ms" },
            ]),
          ),
          balance: Object.fromEntries(
            entries.map(([name]) => [
              name,
              {
                listen: `127.0.0.1:${ports[name]}`,
                groups: { main: { pool: name } },
                socket: { defer_accept: 0 },
              },
            ]),
          ),
        },
      ),
    ),
  );
  ports["banner backend"] = backends.banner;
});
afterAll(async () => {
  const errors = tern?.lines.filter(({ level }) => level === "error");
  await stack.disposeAsync();
  expect(errors ?? []).toEqual([]);
});

withTools("redis-cli: commands, a pipeline of thousands, and a subscriber who waits", async () => {
  const cli = `redis-cli -p ${ports["redis"]}`;
  expect((await sh(`${cli} set greeting hello && ${cli} get greeting`)).out).toBe("OK\nhello\n");
  const pipe = await sh(`seq 1 20000 | sed 's/.*/SET key:& value:&\\r/' | ${cli} --pipe`);
  expect(pipe.out).toContain("errors: 0, replies: 20000");
  expect((await sh(`${cli} dbsize`)).out).toBe("20001\n");

  const listener = Bun.spawn(["redis-cli", "-p", `${ports["redis"]}`, "subscribe", "news"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const heard = new Response(listener.stdout).text();
  await until(async () => (await sh(`${cli} pubsub numsub news`)).out.includes("1"));
  await sh(`${cli} publish news "a long time later"`);
  await Bun.sleep(200);
  listener.kill();
  expect(await heard).toContain("a long time later");
});

withTools(
  "curl and nginx: 20 MB down, 20 MB up, ranges, kept connections, many at once",
  async () => {
    const at = `http://127.0.0.1:${ports["nginx"]}`;
    const sum = (await sh(`sha256sum < ${dir}/www/big.bin`)).out;
    expect((await sh(`curl -s ${at}/big.bin | sha256sum`)).out).toBe(sum);
    const put = await sh(
      `curl -s -o /dev/null -w '%{http_code}' -T ${dir}/www/big.bin ${at}/in/up.bin`,
    );
    expect(put.out).toBe("201");
    expect((await sh(`sha256sum < ${dir}/www/in/up.bin`)).out).toBe(sum);
    const part = await sh(`curl -s -r 1000-1009 ${at}/big.bin`);
    expect(part.out).toBe((await Bun.file(join(dir, "www", "big.bin")).text()).slice(1000, 1010));
    const two = await sh(
      `curl -s -o /dev/null -o /dev/null -w '%{num_connects} ' ${at}/big.bin ${at}/big.bin`,
    );
    expect(two.out).toBe("1 0 ");
    const many = await sh(
      `seq 1 40 | xargs -P 8 -I{} curl -s -r 0-99999 -o /dev/null -w '%{size_download}\\n' ${at}/big.bin | sort | uniq -c`,
    );
    expect(many.out.trim()).toBe("40 100000");
  },
);

withTools(
  "socat: the answer comes after the end of what was sent, so halves close on their own",
  async () => {
    const text = "x".repeat(300_000);
    const file = join(dir, "sent");
    await Bun.write(file, text);
    const own = (await sh(`sha256sum < ${file}`)).out;
    const all = await Promise.all(
      Array.from({ length: 8 }, () => sh(`socat -t 10 - TCP:127.0.0.1:${ports["sums"]} < ${file}`)),
    );
    expect(all.map(({ out }) => out)).toEqual(Array(8).fill(own));
  },
);

withTools(
  "nc: a server that speaks first is heard at once, and a client that comes before it is there is hung up on",
  async () => {
    const alone = await sh(`nc -N 127.0.0.1 ${ports["banner"]} < /dev/null`);
    expect(alone.out).toBe("");
    running("sh", "-c", `echo '220 ready' | nc -N -l 127.0.0.1 ${ports["banner backend"]}`);
    await Bun.sleep(300); // it listens, and checktime is over
    const began = performance.now();
    const { out } = await sh(`sleep 2 | nc -N 127.0.0.1 ${ports["banner"]} | head -1`);
    expect(out).toBe("220 ready\n");
    expect(performance.now() - began).toBeLessThan(4000);
  },
);

withTools("openssl: TLS from end to end, with the certificate of the server behind", async () => {
  const client = `openssl s_client -connect 127.0.0.1:${ports["tls"]} -servername inner.example -CAfile ${dir}/tls.pem -verify_return_error`;
  const { out, code } = await sh(
    `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | ${client} -quiet 2>/dev/null`,
  );
  expect([code, out.split("\r\n")[0]]).toEqual([0, "HTTP/1.0 200 ok"]);
  const brief = await sh(`${client} -brief < /dev/null`);
  expect(brief.err).toContain("Verification: OK");
});

withTools("a client that breaks off is broken off at the other side too", async () => {
  const clients = async (): Promise<number> => {
    const { out } = await sh(`redis-cli -p ${new URL(url).port} client list | grep -c name=doomed`);
    return Number(out);
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: ports["redis"] ?? 0,
    socket: { data() {} },
  });
  socket.write("CLIENT SETNAME doomed\r\n");
  await until(async () => (await clients()) === 1);
  socket.terminate(); // a RST
  await until(async () => (await clients()) === 0);
});
