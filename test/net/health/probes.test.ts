/** Every kind of probe against something real on loopback. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer as plainServer, type Server, type Socket } from "node:net";
import { createServer as secureServer } from "node:tls";

import * as v from "valibot";

import { check as schema } from "../../../src/config/check.ts";
import type { Check } from "../../../src/net/health/check.ts";
import { probes } from "../../../src/net/health/probes/probes.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { SysError } from "../../../src/sys/errno.ts";
import { openPing } from "../../../src/sys/ping-socket.ts";
import { close } from "../../../src/sys/socket.ts";
import { certificate } from "../../fake/certificate.ts";
import { freePort } from "../../fake/ports.ts";
import { needs } from "../../sys/needs.ts";

const probeFor = probes(reactor());

/** What a probe of this check finds: "good", or why not. */
async function find(check: object, port: number | undefined, host = "127.0.0.1"): Promise<string> {
  const read: Check = v.parse(schema, { timeout: "2s", ...check });
  const said = await probeFor({ host, port, check: read })(AbortSignal.timeout(read.timeout));
  return said ?? "good";
}

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const at = server.address();
  return typeof at === "object" && at !== null ? at.port : 0;
}

/** Says `lines` when it has read a whole request, whose lines it keeps. */
function speaker(lines: string, heard: string[] = []) {
  return (socket: Socket): void => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard.push(...bytes.toString().split("\r\n"));
      if (bytes.toString().endsWith("\r\n\r\n")) socket.end(lines);
    });
  };
}

describe("tcp", () => {
  test("good when it accepts", async () => {
    expect(await find({ kind: "tcp" }, await listen(plainServer(() => {})))).toBe("good");
  });

  test("refused", async () => {
    expect(await find({ kind: "tcp" }, await freePort())).toBe("connection refused");
  });

  test("another port than the server's own", async () => {
    const port = await listen(plainServer(() => {}));
    expect(await find({ kind: "tcp", port }, 1)).toBe("good");
  });

  test("an attempt that is over in time leaves no descriptor", async () => {
    const aborted = AbortSignal.abort();
    const read: Check = v.parse(schema, { kind: "tcp" });
    expect(await probeFor({ host: "127.0.0.1", port: 9, check: read })(aborted)).toBe("timeout");
  });
});

describe("http", () => {
  const OK = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nall well";
  const CHUNKED =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n4\r\nwell\r\n0\r\n\r\n";
  test.each([
    { story: "200", says: OK, check: {}, found: "good" },
    {
      story: "a redirect is an answer",
      says: "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
      check: {},
      found: "good",
    },
    {
      story: "unless it is not wanted",
      says: "HTTP/1.1 302 Found\r\n\r\n",
      check: { expect: "200-299" },
      found: "status 302",
    },
    {
      story: "one of several",
      says: "HTTP/1.1 401 No\r\n\r\n",
      check: { expect: [200, 401] },
      found: "good",
    },
    { story: "an error", says: "HTTP/1.1 503 Busy\r\n\r\n", check: {}, found: "status 503" },
    { story: "no reason phrase", says: "HTTP/1.1 204\r\n\r\n", check: {}, found: "good" },
    { story: "HTTP/1.0", says: "HTTP/1.0 200 OK\r\n\r\n", check: {}, found: "good" },
    {
      story: "hints first",
      says: `HTTP/1.1 103 Early Hints\r\n\r\n${OK}`,
      check: { body: "well" },
      found: "good",
    },
    { story: "the text is there", says: OK, check: { body: "all well" }, found: "good" },
    {
      story: "the text is not",
      says: OK,
      check: { body: "ill" },
      found: "the text was not in the body",
    },
    { story: "a text across two chunks", says: CHUNKED, check: { body: "l we" }, found: "good" },
    {
      story: "not in chunks either",
      says: CHUNKED,
      check: { body: "4\r\n" },
      found: "the text was not in the body",
    },
    {
      story: "a body without a length",
      says: "HTTP/1.1 200 OK\r\n\r\nall well",
      check: { body: "well" },
      found: "good",
    },
    {
      story: "something else",
      says: "220 mail ready\r\n\r\n",
      check: {},
      found: "the answer is not HTTP/1",
    },
    { story: "nothing", says: "", check: {}, found: "closed without an answer" },
    {
      story: "half a head",
      says: "HTTP/1.1 200 OK\r\n",
      check: {},
      found: "closed within the head",
    },
    {
      story: "a head without end",
      says: `HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}`,
      check: {},
      found: "the head is too long",
    },
  ])("$story", async ({ says, check, found }) => {
    const port = await listen(plainServer(speaker(says)));
    expect(await find({ kind: "http", ...check }, port)).toBe(found);
  });

  test("asks as it is told", async () => {
    const heard: string[] = [];
    const port = await listen(plainServer(speaker(OK, heard)));
    await find(
      { kind: "http", path: "/health?deep", method: "HEAD", host: "www.example.net" },
      port,
    );
    expect(heard.slice(0, 3)).toEqual([
      "HEAD /health?deep HTTP/1.1",
      "Host: www.example.net",
      "User-Agent: tern-health",
    ]);
  });

  test("one that accepts and never speaks is a timeout", async () => {
    const port = await listen(plainServer(() => {}));
    expect(await find({ kind: "http", timeout: "100ms" }, port)).toBe("timeout");
  });

  test("refused", async () => {
    expect(await find({ kind: "http" }, await freePort())).toBe("connection refused");
  });
});

describe("https", () => {
  let port = 0;
  const names: string[] = [];
  beforeAll(async () => {
    const own = await certificate({ names: ["www.example.net"] });
    const options = {
      ...own,
      SNICallback: (name: string, answer: (error: null) => void) => {
        names.push(name);
        answer(null);
      },
    };
    const server = secureServer(options, speaker("HTTP/1.1 200 OK\r\n\r\nwell"));
    server.on("tlsClientError", () => {});
    port = await listen(server);
  });

  test("any certificate will do, and the name is told", async () => {
    expect(await find({ kind: "https", host: "www.example.net", body: "well" }, port)).toBe("good");
    expect(names).toContain("www.example.net");
  });

  test("unless it is to be verified", async () => {
    const said = await find({ kind: "https", host: "www.example.net", verify: true }, port);
    expect(said).toBe("TLS: DEPTH_ZERO_SELF_SIGNED_CERT");
  });

  test("a server that speaks no TLS", async () => {
    const plain = await listen(
      plainServer((socket) => socket.on("error", () => {}).end("hello\r\n")),
    );
    expect(await find({ kind: "https" }, plain)).not.toBe("good");
  });
});

describe("dns", () => {
  /** Answers with this rcode and so many (made-up) records; `twice` only to the second question. */
  async function server(rcode: number, answers: number, twice = false) {
    let asked = 0;
    return Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: {
        data(socket, bytes, port, address) {
          if (twice && asked++ === 0) return;
          const reply = new Uint8Array(bytes);
          reply[2] = 0x84;
          reply[3] = rcode;
          reply[7] = answers;
          socket.send(reply, port, address);
        },
      },
    });
  }

  test.each([
    { story: "any answer will do", rcode: 5, answers: 0, check: {}, found: "good" },
    { story: "but SERVFAIL", rcode: 2, answers: 0, check: {}, found: "SERVFAIL" },
    {
      story: "a record that was asked for",
      rcode: 0,
      answers: 1,
      check: { query: "example.net" },
      found: "good",
    },
    {
      story: "a record that is not there",
      rcode: 0,
      answers: 0,
      check: { query: "example.net" },
      found: "no record for example.net.",
    },
    {
      story: "a name that is not there",
      rcode: 3,
      answers: 0,
      check: { query: "example.net" },
      found: "NXDOMAIN",
    },
  ])("$story", async ({ rcode, answers, check, found }) => {
    const it = await server(rcode, answers);
    expect(await find({ kind: "dns", ...check }, it.port)).toBe(found);
    it.close();
  });

  test("asks again when the first datagram is lost", async () => {
    const it = await server(0, 1, true);
    expect(await find({ kind: "dns", timeout: "500ms" }, it.port)).toBe("good");
    it.close();
  });

  test("nobody there", async () => {
    const it = await server(0, 1);
    it.close();
    expect(await find({ kind: "dns", timeout: "300ms" }, it.port)).toBe("ECONNREFUSED");
  });
});

describe("exec", () => {
  const sh = (script: string, more: object = {}) => ({
    kind: "exec",
    command: ["/bin/sh", "-c", script],
    ...more,
  });
  test.each([
    { story: "exit 0", check: sh("exit 0"), found: "good" },
    { story: "exit 3", check: sh("exit 3"), found: "exit code 3" },
    {
      story: "it says why",
      check: sh("echo starting >&2; echo no disk >&2; exit 1"),
      found: "exit code 1: no disk",
    },
    {
      story: "it is told whom to look at",
      check: sh('[ "$TERN_HOST:$TERN_PORT" = 127.0.0.1: ]'),
      found: "good",
    },
    {
      story: "it hangs, with children",
      check: sh("sleep 30 & sleep 30", { timeout: "200ms" }),
      found: "timeout",
    },
  ])("$story", async ({ check, found }) => {
    expect(await find(check, undefined)).toBe(found);
  });

  test("no such program", async () => {
    const told = find({ kind: "exec", command: ["/nonexistent/tool"] }, undefined);
    expect(told).rejects.toThrow("/nonexistent/tool");
  });
});

describe("icmp", () => {
  const may = mayPing(4);
  const ping = needs(may === "yes", `icmp over IPv4 (${may})`);
  const ping6 = needs(mayPing(6) === "yes", `icmp over IPv6 (${mayPing(6)})`);

  ping("loopback answers", async () => {
    expect(await find({ kind: "icmp" }, undefined)).toBe("good");
  });
  ping6("over IPv6 too", async () => {
    expect(await find({ kind: "icmp" }, undefined, "::1")).toBe("good");
  });
  ping("what cannot be reached is bad", async () => {
    // Class E: the kernel has no way there, or nobody answers.
    expect(await find({ kind: "icmp", timeout: "200ms" }, undefined, "240.0.0.1")).not.toBe("good");
  });
  ping("many at once", async () => {
    const hosts = Array.from({ length: 200 }, (_, i) => `127.0.1.${i + 1}`);
    const all = await Promise.all(hosts.map((host) => find({ kind: "icmp" }, undefined, host)));
    expect(new Set(all)).toEqual(new Set(["good"]));
  });
});

function mayPing(family: 4 | 6): string {
  try {
    close(openPing(family).fd);
    return "yes";
  } catch (error) {
    return error instanceof SysError ? error.code : String(error);
  }
}
