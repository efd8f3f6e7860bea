import { afterEach, describe, expect } from "bun:test";

import { until } from "../../e2e/from-source.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";
import { freePort } from "../../fake/ports.ts";
import { temporary } from "../../fake/temporary.ts";
import { needs } from "../../sys/needs.ts";
import { service } from "./balancing.ts";
import { ask, balancing, endAll, ends, file, kim } from "./tls/peers.ts";

afterEach(endAll);
const withNginx = needs(Bun.which("nginx") !== null, "nginx");
const withHaproxy = needs(Bun.which("haproxy") !== null, "haproxy");

/** A server program with a config of its own, when it answers on its port. */
async function program(
  name: string,
  config: (port: number, dir: string) => string,
  command: (file: string, dir: string) => string[],
): Promise<FakeServer> {
  const dir = await temporary();
  ends.push(dir);
  const port = await freePort();
  await Bun.write(`${dir.path}/conf`, config(port, dir.path));
  const child = Bun.spawn(command(`${dir.path}/conf`, dir.path), {
    stdio: ["ignore", "ignore", "ignore"],
  });
  ends.push({
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  });
  await until(() => listens(port));
  return new FakeServer(name, port);
}

function listens(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const { stdout } = Bun.spawnSync(["cat", "/proc/net/tcp"]);
  return stdout.toString().includes(`:${hex} 00000000:0000 0A`);
}

const nginx = (): Promise<FakeServer> =>
  program(
    "nginx",
    (port, dir) => `
      daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
      events { worker_connections 64; }
      http {
        access_log off;
        server {
          listen 127.0.0.1:${port} proxy_protocol;
          return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port";
        }
      }`,
    (conf, dir) => ["nginx", "-e", `${dir}/error.log`, "-p", dir, "-c", conf],
  );

const haproxy = (): Promise<FakeServer> =>
  program(
    "haproxy",
    (port) => `
      defaults
        mode http
        timeout client 5s
        timeout server 5s
        timeout connect 5s
      frontend in
        bind 127.0.0.1:${port} accept-proxy
        http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst_port] %[fc_pp_authority]"
`,
    (conf) => ["haproxy", "-db", "-q", "-f", conf],
  );

/** What curl hears, and the port it called from. */
async function curl(url: string, ...more: string[]): Promise<{ heard: string; from: string }> {
  const child = Bun.spawn(
    ["curl", "-sS", "--max-time", "5", "-w", "\n%{local_port}", ...more, url],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [heard = "", from = ""] = (await new Response(child.stdout).text()).trim().split("\n");
  return { heard: heard.trim(), from };
}

describe("servers are told whose connection it is", () => {
  for (const version of ["v1", "v2"]) {
    withNginx(`nginx reads ${version}`, async () => {
      const tern = await balancing(
        { web: service("app", { send_proxy: version }) },
        new FakePool("app", [await nginx()]),
      );
      const { heard, from } = await curl(`http://127.0.0.1:${tern.port()}/`);
      expect(heard).toBe(`127.0.0.1 ${from} ${tern.port()}`);
    });

    withHaproxy(`HAProxy reads ${version}, also of a client over TLS`, async () => {
      const tern = await balancing(
        {
          web: service("app", { send_proxy: version }),
          safe: service("app", {
            listen: `127.0.0.1:${await freePort()}`,
            send_proxy: version,
            tls: "terminate",
          }),
        },
        new FakePool("app", [await haproxy()]),
      );
      const clear = await curl(`http://127.0.0.1:${tern.port()}/`);
      expect(clear.heard).toBe(`127.0.0.1 ${clear.from} ${tern.port()}`);
      const port = tern.port("safe");
      const safe = await curl(
        `https://a.example:${port}/`,
        "--cacert",
        file("ca.pem"),
        "--resolve",
        `a.example:${port}:127.0.0.1`,
      );
      const name = version === "v2" ? " a.example" : "";
      expect(safe.heard).toBe(`127.0.0.1 ${safe.from} ${port}${name}`);
    });
  }

  withHaproxy("what HAProxy would say of the same connection, we say too", async () => {
    // HAProxy in front of a server that keeps what it gets, and we in front of the same.
    let header = new Uint8Array();
    const keeper = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, bytes) {
          header = new Uint8Array(bytes);
          socket.end("HTTP/1.0 200 OK\r\n\r\nkept");
        },
      },
    });
    ends.push({ [Symbol.dispose]: () => keeper.stop(true) });
    const pem = `${await Bun.file(file("a.pem")).text()}${await Bun.file(file("a.key")).text()}`;
    await Bun.write(file("both.pem"), pem);
    const theirs = await program(
      "haproxy",
      (port) => `
      defaults
        mode tcp
        timeout client 5s
        timeout server 5s
        timeout connect 5s
      listen in
        bind 127.0.0.1:${port} ssl crt ${file("both.pem")} ca-file ${file("ca.pem")} verify optional alpn http/1.1
        server s 127.0.0.1:${keeper.port} send-proxy-v2 proxy-v2-options authority,ssl,cert-cn
`,
      (conf) => ["haproxy", "-db", "-q", "-f", conf],
    );
    const tern = await balancing(
      {
        web: service("app", {
          send_proxy: "v2",
          tls: "terminate",
          alpn: ["http/1.1"],
          client_ca: file("ca.pem"),
          client_verify: "optional",
        }),
      },
      new FakePool("app", [new FakeServer("keeper", keeper.port)]),
    );
    for (const shown of [{}, kim]) {
      const said: Map<number, string>[] = [];
      for (const port of [theirs.port, tern.port()]) {
        header = new Uint8Array();
        await ask(port, { ...shown, ALPNProtocols: ["http/1.1"], minVersion: "TLSv1.3" });
        said.push(tlvs(header));
      }
      const [of = new Map<number, string>(), ours] = said;
      const told = new Map([...of].filter(([type]) => ours?.has(type)));
      // HAProxy 2.6 takes no certificate for a good one; 2.2.5 says that it is none.
      if (shown !== kim) told.set(SSL, "1 not verified");
      expect(ours?.size).toBeGreaterThanOrEqual(3);
      expect(ours).toEqual(told);
    }
  });
});

const SSL = 0x20;

/** The TLVs behind an IPv4 header, those within SSL beside the others; `verify` as zero or not. */
function tlvs(header: Uint8Array): Map<number, string> {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const found = new Map<number, string>();
  const read = (from: number, to: number): void => {
    for (let at = from; at + 3 <= to;) {
      const type = view.getUint8(at);
      const end = at + 3 + view.getUint16(at + 1);
      if (type === SSL) {
        const good = view.getUint32(at + 4) === 0;
        found.set(type, `${view.getUint8(at + 3)} ${good ? "verified" : "not verified"}`);
        read(at + 8, end);
      } else found.set(type, new TextDecoder().decode(header.subarray(at + 3, end)));
      at = end;
    }
  };
  read(16 + 12, 16 + view.getUint16(14));
  return found;
}
