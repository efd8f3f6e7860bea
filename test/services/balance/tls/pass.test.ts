import { afterEach, describe, expect, test } from "bun:test";

import { FakePool } from "../../../fake/pools.ts";
import { service } from "../balancing.ts";
import { a, ask, b, balancing, endAll, file, run, tlsBackend } from "./peers.ts";

afterEach(endAll);

describe("pass", () => {
  test("the servers' own certificates, by name and protocol; the handshake is theirs", async () => {
    const groups = {
      main: { pool: "rest" },
      a: { pool: "a" },
      b: { pool: "b" },
      acme: { pool: "acme" },
    };
    const tern = await balancing(
      {
        web: service("rest", {
          tls: "pass",
          groups,
          sni: { "a.example": "a", "*.b.example": "b" },
          alpn_routes: { "acme-tls/1": "acme" },
        }),
      },
      new FakePool("rest", [await tlsBackend("rest", a)]),
      new FakePool("a", [await tlsBackend("A", a)]),
      new FakePool("b", [await tlsBackend("B", b)]),
      new FakePool("acme", [await tlsBackend("acme", { ...a, ALPNProtocols: ["acme-tls/1"] })]),
    );
    const port = tern.port();
    expect(await ask(port)).toBe("A a.example - nobody");
    expect(
      await ask(port, { servername: "w.w.b.example", checkServerIdentity: () => undefined }),
    ).toBe("B w.w.b.example - nobody");
    expect(await ask(port, { servername: "", checkServerIdentity: () => undefined })).toBe(
      "rest - - nobody",
    );
    expect(await ask(port, { ALPNProtocols: ["acme-tls/1"] })).toBe(
      "acme a.example acme-tls/1 nobody",
    );
    for (const name of ["a.example", "x.b.example"]) {
      const said = await run(
        "curl",
        "-vsS",
        "--http0.9",
        "--cacert",
        file("ca.pem"),
        "--resolve",
        `${name}:${port}:127.0.0.1`,
        `https://${name}:${port}/`,
      );
      expect(said).toContain("SSL certificate verify ok");
    }
  });
});
