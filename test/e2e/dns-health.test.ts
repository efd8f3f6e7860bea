import { describe, expect, test } from "bun:test";
/** Servers that die and come back, as seen through the whole program. */
import { chmodSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";

import { decodeMessage, encodeMessage } from "../../src/wire/dns/message.ts";
import { parseName } from "../../src/wire/dns/name.ts";
import { showRdata } from "../../src/wire/dns/rdata/show.ts";
import { showRcode, TYPE } from "../../src/wire/dns/types.ts";
import { freePort } from "../fake/ports.ts";
import { asRoot } from "../sys/needs.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

/** A server that a check can knock at, taken down and up again. */
class Patient {
  readonly #host: string;
  #server: Server | undefined;
  port = 0;

  constructor(host: string, port: number) {
    this.#host = host;
    this.port = port;
  }
  async up(): Promise<void> {
    this.#server = createServer((socket) => socket.on("error", () => {}).end());
    await new Promise<void>((ready) => this.#server?.listen(this.port, this.#host, ready));
  }
  async down(): Promise<void> {
    await new Promise<void>((gone) => this.#server?.close(() => gone()));
  }
}

/** What is answered for `x.test`: addresses in order, or the rcode. */
async function ask(port: number, name = "x.test."): Promise<string> {
  const bytes = encodeMessage({
    id: 7,
    flags: 0,
    opcode: 0,
    rcode: 0,
    questions: [{ name: parseName(name) as Uint8Array, type: TYPE.A, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
  }) as Uint8Array;
  const heard = Promise.withResolvers<Uint8Array>();
  const socket = await Bun.udpSocket({
    connect: { hostname: "127.0.0.1", port },
    socket: { data: (_, answer) => heard.resolve(new Uint8Array(answer)), error: () => {} },
  });
  socket.send(bytes);
  const answer = await Promise.race([heard.promise, Bun.sleep(2000)]);
  socket.close();
  const message = answer && decodeMessage(answer);
  if (!message) return "silence";
  const addresses = message.answers.map((rr) => showRdata(rr.type, rr.rdata));
  return addresses.length > 0 ? addresses.join(" ") : showRcode(message.rcode);
}

/** As `ask`, by so many questions from so many ports, that every worker is asked. */
async function askAll(port: number): Promise<string> {
  const all = await Promise.all(Array.from({ length: 16 }, () => ask(port)));
  return [...new Set(all)].join(" | ");
}

const quick = { interval: "100ms", timeout: "100ms", rise: 1, fall: 2 };

describe.each([{ workers: 1 }, { workers: 2 }])("with $workers workers", ({ workers }) => {
  test("answers follow the servers, from the first one on", async () => {
    const port = await freePort();
    const knock = await freePort();
    const one = new Patient("127.0.0.1", knock);
    const two = new Patient("127.0.0.2", knock);
    await one.up(); // two is down from the start: nobody is ever sent there
    const config = (dir: string): object =>
      siteIn(
        dir,
        {},
        {
          workers,
          dns: {
            ns: {
              listen: `127.0.0.1:${port}`,
              names: {
                "x.test": {
                  tiers: [["127.0.0.1", "127.0.0.2"], ["127.0.0.9"]],
                  order: "fixed",
                  check: { kind: "tcp", port: knock, ...quick },
                  all_down: "servfail",
                },
              },
            },
          },
        },
      );
    await using tern = await appliance(config);
    expect(await askAll(port)).toBe("127.0.0.1");

    await two.up();
    await until(async () => (await askAll(port)) === "127.0.0.1 127.0.0.2");
    await one.down();
    await until(async () => (await askAll(port)) === "127.0.0.2");
    expect(tern.lines.filter((line) => line.message === "a server is down")).not.toEqual([]);

    // An operator's word, at every worker, and after a restart of one.
    expect((await tern.verb("dns", "state", "127.0.0.9", "up")).code).toBe(0);
    expect((await tern.verb("dns", "state", "127.0.0.2", "down")).code).toBe(0);
    expect(await askAll(port)).toBe("127.0.0.9");
    expect((await tern.verb("dns", "state", "127.0.0.9", "auto")).code).toBe(0);
    expect(await askAll(port)).toBe("SERVFAIL");
    if (workers > 1) {
      const { pid } = (await tern.status()).workers[0] ?? {};
      process.kill(pid ?? 0, "SIGKILL");
      await tern.logged("a worker serves again");
      expect(await askAll(port)).toBe("SERVFAIL");
    }
    expect((await tern.verb("dns", "state", "127.0.0.2", "auto")).code).toBe(0);
    await until(async () => (await askAll(port)) === "127.0.0.2");
    await two.down();
  }, 30_000);
});

/** The user that tern becomes has to get at its directory. */
function open(dir: string): string {
  chmodSync(dir, 0o755);
  return dir;
}

describe("icmp", () => {
  const config =
    (port: number, more: object = {}) =>
    (dir: string): object =>
      siteIn(
        open(dir),
        {},
        {
          dns: {
            ns: {
              listen: `127.0.0.1:${port}`,
              names: {
                "x.test": {
                  tiers: [["127.0.0.7"]],
                  check: { kind: "icmp", ...quick },
                  all_down: "servfail",
                },
              },
            },
          },
          ...more,
        },
      );

  asRoot("the right to ping is kept when root is dropped, by whoever pings alone", async () => {
    const port = await freePort();
    await using tern = await appliance(config(port, { workers: 2, user: "nobody" }));
    expect(await ask(port)).toBe("127.0.0.7");
    const NET_RAW = 1n << 13n;
    const has = (pid: number | undefined) => (effective(pid) & NET_RAW) !== 0n;
    expect(has(tern.pid)).toBe(true);
    expect((await tern.status()).workers.map(({ pid }) => has(pid))).toEqual([false, false]);
  });

  asRoot("a reload that wants to ping without the right to is refused, in words", async () => {
    const port = await freePort();
    const before = (dir: string): object => siteIn(open(dir), {}, { user: "nobody" });
    await using tern: Appliance = await appliance(before);
    await tern.rewrite(config(port, { user: "nobody" })(tern.dir));
    const said = await tern.verb("reload");
    expect(said.code).not.toBe(0);
    expect(said.err + said.out).toContain("CAP_NET_RAW");
  });
});

function effective(pid: number | undefined): bigint {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? "0"}`);
}
