import { afterEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";

import { until } from "../../../e2e/from-source.ts";
import { FakePool } from "../../../fake/pools.ts";
import { service } from "../balancing.ts";
import {
  a,
  ask,
  b,
  backend,
  balancing,
  ca,
  endAll,
  eve,
  file,
  local,
  sayer,
  tlsBackend,
} from "./peers.ts";

afterEach(endAll);

describe("backend_tls", () => {
  const section = (backend_tls: object, keys: object = {}): object => ({
    web: service("app", { backend_tls, connect_timeout: "500ms", ...keys }),
  });
  async function plainAsk(port: number): Promise<string> {
    const raw = connectTcp(port, "127.0.0.1");
    let heard = "";
    raw.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    raw.on("error", (e: NodeJS.ErrnoException) => (heard = e.code ?? ""));
    raw.write("?");
    await new Promise((resolve) => raw.once("close", resolve));
    return heard;
  }

  test("the server's certificate has to be good for the name", async () => {
    const good = await tlsBackend("good", a);
    const tern = await balancing(
      section({ ca: file("ca.pem"), server_name: "a.example" }),
      new FakePool("app", [good]),
    );
    expect(await plainAsk(tern.port())).toBe("good a.example - nobody");
    expect(good.diary).toEqual(["connecting", "connected", "closed"]);
  });

  test("without a name it has to be for the server's address", async () => {
    const good = await tlsBackend("good", local);
    const tern = await balancing(section({ ca: file("ca.pem") }), new FakePool("app", [good]));
    expect(await plainAsk(tern.port())).toBe("good - - nobody");
  });

  test("a server with a wrong one is passed over, and so is one that speaks no TLS", async () => {
    const wrong = await tlsBackend("wrong", b);
    const forged = await tlsBackend("forged", eve);
    const clear = sayer("clear");
    const good = await tlsBackend("good", a);
    const tern = await balancing(
      section({ ca: file("ca.pem"), server_name: "a.example" }),
      new FakePool("app", [wrong, forged, clear, good]),
    );
    expect(await plainAsk(tern.port())).toBe("good a.example - nobody");
    for (const one of [wrong, forged, clear])
      expect([one.diary, one.open]).toEqual([["connecting", "failed: tls"], 0]);
    await until(() => tern.stats["web"]?.open === 0);
    expect(good.open).toBe(0);
  });

  test("a server that never shakes hands is given up after connect_timeout", async () => {
    const mute = backend("mute", () => Bun.sleep(3000));
    const good = await tlsBackend("good", a);
    const tern = await balancing(section({ verify: false }), new FakePool("app", [mute, good]));
    const began = performance.now();
    expect(await plainAsk(tern.port())).toStartWith("good");
    expect(performance.now() - began).toBeWithin(400, 2000);
  });

  test("verify: false takes any", async () => {
    const forged = await tlsBackend("forged", eve);
    const tern = await balancing(section({ verify: false }), new FakePool("app", [forged]));
    expect(await plainAsk(tern.port())).toStartWith("forged");
  });

  test("it is shown our certificate; asked for the client's name and protocol", async () => {
    const good = await tlsBackend("good", {
      ...b,
      requestCert: true,
      rejectUnauthorized: true,
      ca: ca.cert,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    const tern = await balancing(
      section(
        { ca: file("ca.pem"), certificate: { cert: file("kim.pem"), key: file("kim.key") } },
        { tls: "terminate", alpn: ["http/1.1"] },
      ),
      new FakePool("app", [good]),
    );
    const asked = { servername: "x.b.example", ALPNProtocols: ["h2", "http/1.1"] };
    expect(await ask(tern.port(), asked)).toBe("good x.b.example http/1.1 kim");
  });

  test("a client that is killed while hands are shaken leaves nothing behind", async () => {
    const mute = backend("mute", () => Bun.sleep(3000));
    const tern = await balancing(
      section({ verify: false }, { connect_timeout: "5s" }),
      new FakePool("app", [mute]),
    );
    const raw = connectTcp(tern.port(), "127.0.0.1");
    raw.on("error", () => {});
    await until(() => mute.diary.length === 1);
    await Bun.sleep(30);
    const { sessions } = (await tern.action("sessions", {})) as { sessions: { id: number }[] };
    await tern.action("kill", { service: "web", id: sessions[0]?.id });
    await until(() => tern.stats["web"]?.open === 0 && mute.open === 0);
    raw.destroy();
  });
});
