import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type TLSSocket } from "node:tls";

import { certificate } from "../fake/certificate.ts";
import { said } from "./binary.ts";
import { FIRST, SECOND, type Secure, secure, writePair } from "./secure.ts";

const PATIENCE_MS = 30_000;

/** What openssl's client sees. */
async function handshake(
  port: number,
  ...args: string[]
): Promise<{ ok: boolean; names: string; alpn: string; protocol: string }> {
  const command = `openssl s_client -connect 127.0.0.1:${port} ${args.join(" ")} </dev/null 2>&1`;
  const { out } = await said(["sh", "-c", command]);
  const { out: names } = await said([
    "sh",
    "-c",
    `${command} | openssl x509 -noout -ext subjectAltName 2>/dev/null`,
  ]);
  return {
    ok: /^Server certificate$/m.test(out),
    names: /DNS:(\S+?),?(?:\s|$)/.exec(names)?.[1] ?? "",
    alpn: /ALPN protocol: (\S+)/.exec(out)?.[1] ?? "none",
    protocol: /Protocol\s*: (\S+)|New, (TLSv[\d.]+)/.exec(out)?.slice(1).find(Boolean) ?? "",
  };
}

describe.skipIf(!Bun.which("openssl"))("TLS as openssl sees it", () => {
  let site: Secure;
  beforeAll(async () => {
    site = await secure();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test.each([
    { story: "the second's name", args: `-servername ${SECOND}`, names: SECOND },
    { story: "a name under its wildcard", args: `-servername a.${SECOND}`, names: SECOND },
    { story: "a name in capitals", args: `-servername ${SECOND.toUpperCase()}`, names: SECOND },
    { story: "nobody's name", args: "-servername other.example", names: FIRST },
    { story: "no name", args: "-noservername", names: FIRST },
  ])("$story is answered by $names", async ({ args, names }) => {
    expect(await handshake(site.port, args)).toMatchObject({ ok: true, names });
  });

  test.each([
    { offered: "h2,http/1.1", alpn: "h2" },
    { offered: "http/1.1,h2", alpn: "h2" },
    { offered: "http/1.1", alpn: "http/1.1" },
  ])("$offered gives $alpn", async ({ offered, alpn }) => {
    expect(await handshake(site.port, `-alpn ${offered}`)).toMatchObject({ ok: true, alpn });
  });

  test("versions from 1.2 on", async () => {
    const spoken = await Promise.all(
      ["-tls1_3", "-tls1_2", "-tls1_1"].map((version) => handshake(site.port, version)),
    );
    expect(spoken.map((s) => s.ok)).toEqual([true, true, false]);
  });

  test.each([{ version: "-tls1_3" }, { version: "-tls1_2" }])(
    "who comes back with a ticket ($version) is known",
    async ({ version }) => {
      const ticket = `${site.ca}.ticket${version}`;
      const ask = async (how: string): Promise<string> => {
        const client = `openssl s_client -connect 127.0.0.1:${site.port} ${version} -alpn http/1.1`;
        const request = "printf 'GET /hello.txt HTTP/1.0\\r\\n\\r\\n'; sleep 1";
        const { out } = await said(["sh", "-c", `(${request}) | ${client} ${how} ${ticket} 2>&1`]);
        return `${/^(New|Reused), /m.exec(out)?.[1]} ${/ALPN protocol: (\S+)/.exec(out)?.[1]}`;
      };
      expect(await ask("-sess_out")).toBe("New http/1.1");
      expect(await ask("-sess_in")).toBe("Reused http/1.1");
    },
  );

  test.each([{ version: "-tls1_3" }, { version: "-tls1_2" }])(
    "nobody is asked for a certificate ($version)",
    async ({ version }) => {
      const client = `openssl s_client -connect 127.0.0.1:${site.port} ${version} -msg`;
      const { out } = await said(["sh", "-c", `${client} </dev/null 2>&1`]);
      expect(out).toContain("ServerHello");
      expect(out).not.toContain("CertificateRequest");
    },
  );

  test("curl trusts the chain", async () => {
    const { out, code } = await said([
      "curl",
      "-sS",
      "--http1.1",
      "--cacert",
      site.ca,
      `${site.url}/hello.txt`,
    ]);
    expect([code, out]).toEqual([0, "hello"]);
  });
});

test.skipIf(!Bun.which("openssl"))(
  "min_version 1.3 refuses 1.2",
  async () => {
    await using site = await secure("", 'min_version: "1.3"');
    expect(await handshake(site.port, "-tls1_3")).toMatchObject({ ok: true });
    expect(await handshake(site.port, "-tls1_2")).toMatchObject({ ok: false });
  },
  PATIENCE_MS,
);

test.each([1, 2])(
  "a changed certificate is served while open connections go on (workers: %d)",
  async (workers) => {
    await using site = await secure("http2: false", "", workers);
    const held = await dial(site);
    expect(await ask(held)).toContain("hello");
    const before = namesOf(held);

    await writePair(
      site.tern.dir,
      "a",
      await certificate({ names: ["renewed.example", "localhost"], issuer: site.authority }),
    );
    const end = performance.now() + PATIENCE_MS / 2;
    for (;;) {
      expect(await ask(held)).toContain("hello"); // the old connection, all the while
      const fresh = await dial(site);
      const names = namesOf(fresh);
      fresh.destroy();
      if (names.includes("renewed.example")) break;
      expect(performance.now()).toBeLessThan(end);
      await Bun.sleep(100);
    }
    expect(await ask(held)).toContain("hello");
    expect(namesOf(held)).toBe(before);
    held.destroy();
  },
  PATIENCE_MS,
);

function dial({ port, authority }: Secure): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority.cert,
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function namesOf(socket: TLSSocket): string {
  return socket.getPeerCertificate().subjectaltname ?? "";
}

function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const more = (chunk: Buffer): void => {
      text += chunk;
      if (!text.endsWith("hello")) return;
      socket.off("data", more);
      socket.off("close", lost);
      resolve(text);
    };
    const lost = (): void => reject(new Error(`connection lost after ${JSON.stringify(text)}`));
    socket.on("data", more);
    socket.once("close", lost);
    socket.write("GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
}
