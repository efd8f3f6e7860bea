/** Programs of others on both sides of the proxy: nginx and node behind it, curl, nghttp and browsers' habits before it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { certificate } from "../fake/certificate.ts";
import { accepts, freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";
import { residentBytes } from "./process-facts.ts";
import { dial, responses } from "./wire.ts";

setDefaultTimeout(60_000); // several programs, on a machine that may be busy

const TOOLS = ["nginx", "node", "curl", "nghttp", "h2load", "sha256sum", "wrk"];
const missing = TOOLS.filter((name) => Bun.which(name) === null);
if (missing.length > 0) process.stderr.write(`SKIPPED: no ${missing.join(", ")}\n`);
const withTools = test.skipIf(missing.length > 0);

const MB = 2 ** 20;
const BIG = 20 * MB;

const stack = new AsyncDisposableStack();
const ports = { clear: 0, tls: 0, nginx: 0, node: 0, ws: 0 };
let tern: Appliance;
let dir: string;

const sh = (script: string) => said(["sh", "-c", script]);

/** A program that runs until the end. */
function running(...command: string[]): Bun.Subprocess<"ignore", "pipe", "ignore"> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "ignore"] });
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child;
}

async function startNginx(): Promise<void> {
  mkdirSync(join(dir, "www", "in"), { recursive: true });
  const random = crypto.getRandomValues(new Uint8Array(65_536)).toHex();
  await Bun.write(join(dir, "www", "big.bin"), random.repeat(BIG / random.length));
  await Bun.write(join(dir, "www", "hello.txt"), "hello\n");
  ports.nginx = await freePort();
  await Bun.write(
    join(dir, "nginx.conf"),
    `daemon off; user root; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events {} http { access_log off; client_body_temp_path ${dir}/body; client_max_body_size 100m;
     server { listen 127.0.0.1:${ports.nginx}; root ${dir}/www; location /in/ { dav_methods PUT DELETE; }
       location /moved { return 301 /hello.txt; } location /none { return 204; } } }`,
  );
  running("nginx", "-c", join(dir, "nginx.conf"), "-p", dir);
  await until(() => accepts(ports.nginx));
}

async function startNode(): Promise<void> {
  const source = await Bun.file(new URL("../fake/node-backend.ts", import.meta.url)).text();
  const script = join(dir, "backend.mjs");
  await Bun.write(script, new Bun.Transpiler({ loader: "ts" }).transformSync(source));
  const child = running("node", script);
  for await (const line of child.stdout) {
    ports.node = Number(Buffer.from(line).toString());
    break;
  }
}

function startWebSocket(): void {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, it) => (it.upgrade(request) ? undefined : new Response("no", { status: 426 })),
    websocket: {
      maxPayloadLength: 64 * MB,
      backpressureLimit: 64 * MB,
      message: (socket, message) => void socket.send(message),
      close() {},
    },
  });
  ports.ws = server.port ?? 0;
  stack.defer(() => server.stop(true));
}

beforeAll(async () => {
  if (missing.length > 0) return;
  dir = stack.use(await temporary()).path;
  await Promise.all([startNginx(), startNode()]);
  startWebSocket();
  const pair = await certificate({ names: ["localhost"] });
  await Bun.write(join(dir, "tls.pem"), pair.cert);
  await Bun.write(join(dir, "tls.key"), pair.key);
  ports.clear = await freePort();
  ports.tls = await freePort();
  const routes = [
    { path: "/node/", pool: "node", strip: true, timeout: "20s" },
    { path: "/ws", pool: "ws", websocket: true },
    { pool: "nginx" },
  ];
  tern = stack.use(
    await appliance((home) =>
      siteIn(
        home,
        {},
        {
          web: undefined,
          tls: { certificates: [{ cert: join(dir, "tls.pem"), key: join(dir, "tls.key") }] },
          pools: {
            nginx: { hosts: [`127.0.0.1:${ports.nginx}`], checktime: "100ms" },
            node: { hosts: [`127.0.0.1:${ports.node}`], checktime: "100ms" },
            ws: { hosts: [`127.0.0.1:${ports.ws}`], checktime: "100ms" },
          },
          proxy: {
            clear: { listen: `127.0.0.1:${ports.clear}`, routes, max_body: "4g" },
            tls: { listen: `127.0.0.1:${ports.tls}`, routes, tls: true, max_body: "4g" },
          },
        },
      ),
    ),
  );
});
afterAll(async () => {
  const errors = tern?.lines.filter(({ level }) => level === "error");
  await stack.disposeAsync();
  expect(errors ?? []).toEqual([]);
});

const ways = [
  { way: "HTTP/1.1", flags: "--http1.1", url: () => `http://127.0.0.1:${ports.clear}` },
  { way: "HTTP/1.0", flags: "--http1.0", url: () => `http://127.0.0.1:${ports.clear}` },
  { way: "HTTP/1.1 over TLS", flags: "-k --http1.1", url: () => `https://127.0.0.1:${ports.tls}` },
  { way: "HTTP/2", flags: "-k --http2", url: () => `https://127.0.0.1:${ports.tls}` },
  {
    way: "HTTP/2 in clear",
    flags: "--http2-prior-knowledge",
    url: () => `http://127.0.0.1:${ports.clear}`,
  },
];

describe.each(ways)("curl, $way", ({ flags, url }) => {
  const curl = (rest: string) => sh(`curl -sS --max-time 30 ${flags} ${rest}`);

  withTools("GET, HEAD, a redirect, a 204, a 404, a part", async () => {
    const at = url();
    expect((await curl(`${at}/hello.txt`)).out).toBe("hello\n");
    const head = (await curl(`-I ${at}/hello.txt`)).out;
    expect(head).toMatch(/^content-length: 6\r$/im);
    expect(head).toMatch(/^server: nginx/im);
    expect(head).toMatch(/^etag: /im);
    if (flags.includes("prior")) return; // curl 7.88 fails to use such a connection twice
    expect((await curl(`-r 1-3 ${at}/hello.txt`)).out).toBe("ell");
    const codes = await curl(
      `-o /dev/null -w '%{http_code} ' ${at}/moved -o /dev/null ${at}/none -o /dev/null ${at}/nothing`,
    );
    expect(codes.out).toBe("301 204 404 ");
  });

  withTools("20 MB down, 20 MB up, byte for byte", async () => {
    const at = url();
    const want = (await sh(`sha256sum < ${dir}/www/big.bin`)).out;
    expect((await sh(`curl -sS ${flags} ${at}/big.bin | sha256sum`)).out).toBe(want);
    const put = await curl(
      `-T ${dir}/www/big.bin -o /dev/null -w '%{http_code}' ${at}/in/${Bun.randomUUIDv7()}`,
    );
    expect(put.out).toBe("201");
    const sum = JSON.parse((await curl(`-T ${dir}/www/big.bin ${at}/node/sum`)).out) as {
      sum: string;
      length: number;
    };
    expect([sum.length, sum.sum]).toEqual([BIG, want.split(" ")[0] ?? ""]);
  });

  withTools("a body without length, up and down", async () => {
    if (flags.includes("1.0")) return; // it has no such thing
    const at = url();
    const up = await sh(`head -c 300000 /dev/zero | curl -sS ${flags} -T - ${at}/node/sum`);
    expect(JSON.parse(up.out)).toMatchObject({ length: 300_000, method: "PUT" });
    expect((await sh(`curl -sS ${flags} '${at}/node/bytes?n=300000' | wc -c`)).out.trim()).toBe(
      "300000",
    );
  });

  withTools("many on one connection", async () => {
    if (flags.includes("prior")) return;
    const at = url();
    const many = await curl(`'${at}/hello.txt?[1-50]'`);
    expect(many.out).toBe("hello\n".repeat(50));
  });
});

describe("HTTP/1.1, word by word", () => {
  withTools(
    "a client that asks before it sends is told to go on once there is a server",
    async () => {
      using wire = await dial(ports.clear);
      wire.say(
        "PUT /node/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
      );
      expect(await wire.until((heard) => heard.endsWith("\r\n\r\n"))).toBe(true);
      expect(wire.heard).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      wire.say("hello");
      expect(await wire.until((heard) => heard.includes('"length":5'))).toBe(true);
    },
  );

  withTools("early hints come early, 102 too, each once", async () => {
    using wire = await dial(ports.clear);
    wire.say("GET /node/hints HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.until((heard) => heard.includes("103 Early Hints"))).toBe(true);
    expect(wire.heard).not.toContain("200 OK");
    expect(
      await wire.until((heard) => heard.endsWith("done\r\n0\r\n\r\n") || heard.endsWith("done")),
    ).toBe(true);
    expect(wire.heard).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\nx-early: 1\r\n\r\nHTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
    );
  });

  withTools("an HTTP/1.0 client hears no 1xx and no chunks", async () => {
    using wire = await dial(ports.clear);
    wire.say("GET /node/hints HTTP/1.0\r\nHost: a\r\n\r\n");
    expect(await wire.closed()).toBe(true);
    expect(wire.heard).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(wire.heard).toEndWith("\r\n\r\ndone");
  });

  withTools("trailers, both ways", async () => {
    using wire = await dial(ports.clear);
    wire.say("GET /node/trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    expect(await wire.until((heard) => heard.includes("0\r\n") && heard.endsWith("\r\n\r\n"))).toBe(
      true,
    );
    expect(wire.heard).toEndWith("5\r\nhello\r\n0\r\nx-sum: 5d41\r\n\r\n");
    using up = await dial(ports.clear);
    up.say(
      "POST /node/sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5d41\r\n\r\n",
    );
    expect(await up.until((heard) => heard.includes('"x-sum":"5d41"'))).toBe(true);
  });

  withTools("pipelined requests are answered in order, whoever is slow", async () => {
    using wire = await dial(ports.clear);
    const targets = ["/node/hints", "/hello.txt", "/none", "/node/hello", "/hello.txt"];
    wire.say(
      targets
        .map((target) =>
          `GET ${target} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n`.replace(
            "1.0",
            "1.1",
          ),
        )
        .join(""),
    );
    expect(await wire.until((heard) => (heard.match(/HTTP\/1\.1 20\d/g)?.length ?? 0) === 5)).toBe(
      true,
    );
    expect([...wire.heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "103",
      "102",
      "200",
      "200",
      "204",
      "200",
      "200",
    ]);
  });

  withTools("events come one by one, not at the end", async () => {
    using wire = await dial(ports.clear);
    wire.say("GET /node/events HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.until((heard) => heard.includes("data: 1"))).toBe(true);
    expect(wire.heard).not.toContain("data: 2");
    expect(await wire.until((heard) => heard.includes("data: 5"))).toBe(true);
  });
});

describe("memory does not follow what is moved", () => {
  /** The most that is resident while something goes on. */
  async function peak(during: () => Promise<unknown>): Promise<number> {
    let most = 0;
    let over = false;
    const watch = (async () => {
      while (!over) {
        most = Math.max(most, residentBytes(tern.pid));
        await Bun.sleep(20);
      }
    })();
    await during();
    over = true;
    await watch;
    return most;
  }

  withTools.each(["clear", "tls"] as const)("1 GB to readers who stop, %s", async (kind) => {
    const before = residentBytes(tern.pid);
    const most = await peak(async () => {
      const wires = await Promise.all(
        Array.from({ length: 10 }, () => dial(ports[kind], { forget: true, tls: kind === "tls" })),
      );
      for (const [i, wire] of wires.entries())
        wire.say(
          `GET /node/bytes?n=1000000000${i % 2 ? "&length" : ""} HTTP/1.1\r\nHost: a\r\n\r\n`,
        );
      await Promise.all(wires.map((wire) => wire.until(() => wire.bytes > MB)));
      for (const wire of wires) wire.pause();
      await Bun.sleep(1000);
      for (const wire of wires) wire[Symbol.dispose]();
    });
    expect((most - before) / MB).toBeLessThan(60);
  });

  withTools.each(["--http1.1", "-k --http2"])(
    "300 MB to a server that stops, curl %s",
    async (flags) => {
      const at = flags.includes("http2")
        ? `https://127.0.0.1:${ports.tls}`
        : `http://127.0.0.1:${ports.clear}`;
      const before = residentBytes(tern.pid);
      const most = await peak(() =>
        sh(`head -c 300000000 /dev/zero | curl -sS ${flags} --max-time 2 -T - ${at}/node/stall`),
      );
      expect((most - before) / MB).toBeLessThan(60);
    },
  );

  withTools.each(["--http1.1", "-k --http2"])("400 MB through, curl %s", async (flags) => {
    const at = flags.includes("http2")
      ? `https://127.0.0.1:${ports.tls}`
      : `http://127.0.0.1:${ports.clear}`;
    const move = async (bytes: number): Promise<void> => {
      const up = await sh(
        `head -c ${bytes} /dev/zero | curl -sS ${flags} --max-time 30 -T - ${at}/node/sum`,
      );
      expect(JSON.parse(up.out)).toMatchObject({ length: bytes });
      const down = await sh(
        `curl -sS ${flags} --max-time 30 '${at}/node/bytes?n=${bytes}' | wc -c`,
      );
      expect(down.out.trim()).toBe(String(bytes));
    };
    // Code that was never run before becomes resident too.
    const before = await peak(() => move(10_000_000));
    const most = await peak(() => move(400_000_000));
    expect((most - before) / MB).toBeLessThan(100);
  });
});

describe.each(["ws", "wss"] as const)("WebSocket, %s", (scheme) => {
  const open = () => {
    const port = scheme === "ws" ? ports.clear : ports.tls;
    const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/ws`, {
      tls: { rejectUnauthorized: false },
    } as unknown as string[]);
    socket.binaryType = "arraybuffer";
    return socket;
  };

  withTools("echoes frames of every size, in order, and closes as it is told", async () => {
    const socket = open();
    const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000, 16 * MB, 3];
    const echoed: (string | Uint8Array)[] = [];
    const over = Promise.withResolvers<CloseEvent>();
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      echoed.push(typeof data === "string" ? data : new Uint8Array(data));
      if (echoed.length === sizes.length * 2) socket.close(4321, "enough");
    });
    socket.addEventListener("close", over.resolve);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const sent = sizes.flatMap((size) => [
      "ü".repeat(size / 2),
      new Uint8Array(size).map((_, i) => i % 251),
    ]);
    for (const one of sent) socket.send(one);
    const { code } = await over.promise;
    expect(code).toBe(4321);
    expect(echoed.map((one) => one.length)).toEqual(sent.map((one) => one.length));
    expect(echoed.every((one, i) => Bun.deepEquals(one, sent[i]))).toBe(true);
  });

  withTools("a hundred at once, each its own echo", async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const socket = open();
        await new Promise((resolve) => socket.addEventListener("open", resolve));
        const got = new Promise((resolve) =>
          socket.addEventListener("message", ({ data }) => resolve(data)),
        );
        socket.send(`I am ${i}`);
        const text = await got;
        socket.close();
        return text;
      }),
    );
    expect(all).toEqual(Array.from({ length: 100 }, (_, i) => `I am ${i}`));
  });
});

withTools("a connection may not change where the route does not say so", async () => {
  using wire = await dial(ports.clear);
  wire.say(
    "GET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  expect(await wire.until((heard) => heard.endsWith("hello\n"))).toBe(true);
  expect(responses(wire.heard)[0]?.status).toBe(200);
});

describe("load without a single failure", () => {
  withTools("nghttp: a page with many streams", async () => {
    const { out } = await sh(
      `nghttp -nv -m 100 https://127.0.0.1:${ports.tls}/node/bytes?n=100000 2>&1 | grep -c 'recv DATA'`,
    );
    expect(Number(out)).toBeGreaterThan(100);
  });
  withTools.each(["", "--h1"])("h2load %s", async (flags) => {
    const url = flags === "" ? `https://127.0.0.1:${ports.tls}` : `http://127.0.0.1:${ports.clear}`;
    const { out } = await sh(`h2load ${flags} -n 2000 -c 10 -m 10 ${url}/hello.txt`);
    expect(out).toContain("2000 succeeded, 0 failed, 0 errored, 0 timeout");
    expect(out).toContain("2000 2xx");
  });
  withTools("wrk", async () => {
    const { out } = await sh(`wrk -t1 -c20 -d1s http://127.0.0.1:${ports.clear}/hello.txt`);
    expect(out).toMatch(/\d{3,} requests in/);
    expect(out).not.toMatch(/Non-2xx|Socket errors/);
  });
});
