import { afterEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";

import { until } from "../../../e2e/from-source.ts";
import { FakePool } from "../../../fake/pools.ts";
import { service } from "../balancing.ts";
import {
  ask,
  backend,
  balancing,
  Client,
  echo,
  endAll,
  eve,
  file,
  kim,
  run,
  sayer,
} from "./peers.ts";

afterEach(endAll);

describe("terminate", () => {
  const terminate = (keys: object = {}): object => ({
    web: service("app", { tls: "terminate", ...keys }),
  });

  test("servers get clear text, curl its answer; the certificate is the one for the name", async () => {
    const app = backend("app", async (connection) => {
      await connection.readSome();
      await connection.write(
        new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
      );
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const port = tern.port();
    for (const [name, version] of [
      ["a.example", ["--tls-max", "1.2"]],
      ["www.b.example", ["--tlsv1.3"]],
    ] as const)
      expect(
        await run(
          "curl",
          "-sS",
          "--cacert",
          file("ca.pem"),
          ...version,
          "--resolve",
          `${name}:${port}:127.0.0.1`,
          `https://${name}:${port}/`,
        ),
      ).toBe("hello");
    await until(() => tern.stats["web"]?.open === 0);
    expect(tern.stats["web"]).toMatchObject({ accepted: 2, failed: 0, down_bytes: 86 });
    expect(app.diary).toEqual([
      "connecting",
      "connected",
      "closed",
      "connecting",
      "connected",
      "closed",
    ]);
  });

  test("large bodies both ways at once come through whole", async () => {
    const tern = await balancing(terminate(), new FakePool("app", [echo("echo")]));
    const client = new Client(tern.port());
    const text = Buffer.alloc(6_000_000, "0123456789abcdef\n");
    client.socket.end(text);
    await client.over();
    expect(Buffer.from(client.heard, "latin1").equals(text)).toBe(true);
    await until(() => tern.stats["web"]?.open === 0);
    expect(tern.stats["web"]).toMatchObject({ up_bytes: text.length, down_bytes: text.length });
  });

  test("a client's close_notify is a server's FIN, which may go on to speak", async () => {
    const app = backend("app", async (connection) => {
      let bytes = 0;
      for await (const some of connection) bytes += some.length;
      await connection.write(new TextEncoder().encode(`${bytes} bytes`));
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const client = new Client(tern.port());
    client.socket.end("x".repeat(1000));
    await client.over();
    expect([client.heard, client.failed]).toEqual(["1000 bytes", undefined]);
  });

  test("a server's FIN is a client's close_notify, who may go on to speak", async () => {
    let heard = "";
    const app = backend("app", async (connection) => {
      await connection.finish();
      for await (const some of connection) heard += new TextDecoder().decode(some);
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const client = new Client(tern.port());
    await until(() => client.ended);
    client.socket.write("late ");
    await Bun.sleep(20);
    client.socket.end("words");
    await until(() => heard === "late words");
    await until(() => tern.stats["web"]?.open === 0);
  });

  test("a server's RST breaks the client's connection off, without a close_notify", async () => {
    const app = backend("app", async (connection) => {
      await connection.readSome();
      connection.reset();
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    expect(await ask(tern.port())).toBe("ECONNRESET");
  });

  test("a client's RST reaches the server", async () => {
    let ended: unknown;
    const app = backend("app", async (connection) => {
      await connection.readSome();
      await connection.readSome().catch((error) => (ended = error));
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const raw = connectTcp(tern.port(), "127.0.0.1");
    const client = new Client(tern.port(), { socket: raw });
    client.socket.write("hello");
    await until(() => app.diary.includes("connected"));
    await Bun.sleep(20);
    raw.resetAndDestroy();
    await until(() => ended !== undefined);
    expect((ended as Error).name).toBe("ConnectionLost");
  });

  test("a client that does not read stops the server, in bounded memory", async () => {
    let sent = 0;
    const chunk = new Uint8Array(1 << 20);
    const app = backend("app", async (connection) => {
      for (; sent < 400; sent++) await connection.write(chunk);
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const raw = connectTcp(tern.port(), "127.0.0.1");
    const client = new Client(tern.port(), { socket: raw });
    await until(() => sent > 0);
    client.socket.pause();
    await Bun.sleep(300);
    const stalled = sent;
    await Bun.sleep(200);
    expect(sent).toBe(stalled);
    expect(stalled).toBeLessThan(64); // what kernels' buffers hold
  });

  test("a server that does not read stops the client, in bounded memory", async () => {
    let go = (): void => {};
    let heard = 0;
    const app = backend("app", async (connection) => {
      await new Promise<void>((resolve) => (go = resolve));
      for await (const some of connection) heard += some.length;
    });
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    const client = new Client(tern.port());
    const total = 100 << 20;
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    const send = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!client.socket.write(chunk)) return void client.socket.once("drain", send);
      }
      client.socket.end();
    };
    send();
    await Bun.sleep(500);
    expect(sent).toBeLessThan(64 << 20);
    go();
    await until(() => heard === total);
  }, 20_000);

  test("ALPN: our order decides; who shares none goes on without", async () => {
    const tern = await balancing(
      terminate({ alpn: ["h2", "http/1.1"] }),
      new FakePool("app", [sayer("hi")]),
    );
    const agreed: (string | false | null)[] = [];
    for (const ALPNProtocols of [["http/1.1", "h2"], ["http/1.1"], ["ftp"]]) {
      const client = new Client(tern.port(), { ALPNProtocols });
      client.socket.write("?");
      await client.over();
      agreed.push(client.socket.alpnProtocol);
    }
    expect(agreed).toEqual(["h2", "http/1.1", false]);
  });

  test("min_version", async () => {
    const tern = await balancing(
      terminate({ min_version: 1.3 }),
      new FakePool("app", [sayer("hi")]),
    );
    expect(await ask(tern.port(), { maxVersion: "TLSv1.2" })).toStartWith("ERR_SSL");
    expect(await ask(tern.port(), { minVersion: "TLSv1.3" })).toBe("hi");
  });

  test.each([
    { verify: "require", shown: "kim", lets: true },
    { verify: "require", shown: "eve", lets: false },
    { verify: "require", shown: "none", lets: false },
    { verify: "optional", shown: "kim", lets: true },
    { verify: "optional", shown: "eve", lets: false },
    { verify: "optional", shown: "none", lets: true },
  ] as const)(
    "client_verify $verify, certificate of $shown: let in $lets",
    async ({ verify, shown, lets }) => {
      const app = sayer("hi");
      const tern = await balancing(
        terminate({ client_ca: file("ca.pem"), client_verify: verify }),
        new FakePool("app", [app]),
      );
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const made = { kim, eve, none: {} }[shown];
        const got = await ask(tern.port(), { ...made, minVersion: version, maxVersion: version });
        if (lets) expect(got).toBe("hi");
        else expect(got).not.toBe("hi");
      }
      await until(() => tern.stats["web"]?.open === 0);
      expect(tern.stats["web"]).toMatchObject({ accepted: 2, failed_tls: lets ? 0 : 2 });
      expect(app.diary.length > 0).toBe(lets);
    },
  );

  test("a refused certificate does not come in by a resumed session", async () => {
    const app = sayer("hi");
    const tern = await balancing(
      terminate({ client_ca: file("ca.pem"), client_verify: "optional" }),
      new FakePool("app", [app]),
    );
    const at = `127.0.0.1:${tern.port()}`;
    const shown = ["-cert", file("eve.pem"), "-key", file("eve.key")];
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const session = file(`session${version}`);
      const s_client = ["openssl", "s_client", "-connect", at, version, "-quiet"];
      await run(...s_client, ...shown, "-sess_out", session);
      // Not resumed after all, it is shown again: without any he would be let in as anybody is.
      if (await Bun.file(session).exists()) await run(...s_client, ...shown, "-sess_in", session);
    }
    expect(app.diary).toEqual([]);
  });

  test("who does not speak TLS, or leaves in the middle, takes no server", async () => {
    const app = sayer("hi");
    const tern = await balancing(terminate(), new FakePool("app", [app]));
    for (const words of ["GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\x00\x05\x01", ""]) {
      const raw = connectTcp(tern.port(), "127.0.0.1");
      raw.on("error", () => {});
      raw.end(Buffer.from(words, "latin1"));
      await new Promise((resolve) => raw.once("close", resolve));
    }
    await until(() => tern.stats["web"]?.open === 0);
    expect(app.diary).toEqual([]);
  });

  test("groups by the name asked for; killed and drained like any other", async () => {
    const tern = await balancing(
      {
        web: service("app", {
          tls: "terminate",
          groups: { main: { pool: "app" }, b: { pool: "bees" } },
          sni: { "*.b.example": "b" },
        }),
      },
      new FakePool("app", [echo("app")]),
      new FakePool("bees", [sayer("bees")]),
    );
    expect(await ask(tern.port(), { servername: "x.b.example" })).toBe("bees");
    const held = new Client(tern.port());
    held.socket.write("hello");
    await until(() => held.heard === "hello");
    const { sessions } = (await tern.action("sessions", {})) as { sessions: { id: number }[] };
    await tern.action("kill", { service: "web", id: sessions[0]?.id });
    await held.over();
    expect(held.failed).toBe("ECONNRESET");
  });
});
