import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { LocalSockets } from "../../../src/net/local-sockets.ts";
import { RuntimeUdpPlane } from "../../../src/services/dns/runtime-udp-plane.ts";
import type { Answerer, Via } from "../../../src/services/dns/via.ts";
import { appliance, siteIn } from "../../e2e/from-source.ts";
import { freePort } from "../../fake/ports.ts";
import { needs } from "../../sys/needs.ts";
import { dig } from "./serving.ts";

/** Says who asked: the client's address is the answer. */
function echo(seen: string[] = []): Answerer {
  return {
    respond: (bytes, from, to, via: Via, into, at) => {
      seen.push(`${via.transport} ${[...via.client].join(".")}`);
      into.set(bytes.subarray(from, to), at);
      return to - from;
    },
    transfer: () => {
      throw new Error("none");
    },
  };
}

async function ask(port: number, text: string, hostname = "127.0.0.1"): Promise<string> {
  const heard = Promise.withResolvers<string>();
  const socket = await Bun.udpSocket({
    connect: { hostname, port },
    socket: { data: (_, bytes) => heard.resolve(bytes.toString()), error: () => {} },
  });
  socket.send(text);
  const answer = await Promise.race([heard.promise, Bun.sleep(500).then(() => "silence")]);
  socket.close();
  return answer;
}

describe("the runtime moves datagrams", () => {
  for (const host of ["127.0.0.1", ""])
    test(`on "${host}": answered, handed over to the next answerer, and given back`, async () => {
      const sockets = new LocalSockets();
      const address = { kind: "tcp", host, port: 0 } as const;
      const socket = await sockets.takeDatagram(address, { reusePort: true, buffer: 1 << 16 });
      const { port } = socket.value;
      const parts = { address, socket, wall: Date.now, now: () => performance.now() };
      const plane = new RuntimeUdpPlane(parts);
      expect(plane.name).toBe(`udp ${host}:${port}`);
      const seen: string[] = [];
      const [one, two] = [echo(seen), echo(seen)];
      plane.serve(one, () => {});
      expect(await ask(port, "hello")).toBe("hello");
      plane.serve(two, () => {});
      plane.leave(one); // it has been replaced: nothing ends
      expect(await ask(port, "again")).toBe("again");
      expect(seen).toEqual(["udp 127.0.0.1", "udp 127.0.0.1"]);
      plane.leave(two);
      expect(await ask(port, "nobody")).toBe("silence");
      plane.serve(two, () => {});
      expect(await ask(port, "back")).toBe("back");
      await plane.close();
    });
});

describe("a tern that is told to do without batches", () => {
  let port = 0;
  let tern: Awaited<ReturnType<typeof appliance>>;
  beforeAll(async () => {
    port = await freePort();
    tern = await appliance(
      (dir) =>
        siteIn(
          dir,
          {},
          {
            workers: 2,
            dns: {
              ns: {
                listen: `127.0.0.1:${port}`,
                names: { "x.test": { tiers: [["192.0.2.1"]] } },
                chaos: { version: "tern" },
              },
            },
          },
        ),
      { env: { TERN_DNS_UDP: "runtime" } },
    );
  });
  afterAll(async () => {
    await tern[Symbol.asyncDispose]();
  });

  needs(Bun.which("dig") !== null, "dig (bind9-dnsutils)")("answers dig", async () => {
    for (let i = 0; i < 8; i++) {
      const text = await dig(port, "+notcp", "+nsid", "x.test");
      expect(text).toContain("192.0.2.1");
      expect(text).toContain("COOKIE");
    }
    expect(await dig(port, "+notcp", "nowhere.example")).toContain("REFUSED");
  });
});
