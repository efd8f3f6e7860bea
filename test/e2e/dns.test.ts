/** The name server as the whole program: several workers, reload, upgrade, and the verbs. */
import { expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ServerStatus } from "../../src/services/dns/server-status.ts";
import { freePort } from "../fake/ports.ts";
import { dig, said, ZONE } from "../services/dns/serving.ts";
import { needs } from "../sys/needs.ts";
import { type Appliance, appliance, until } from "./from-source.ts";

setDefaultTimeout(60_000);

const withDig = needs(Bun.which("dig") !== null, "dig (bind9-dnsutils)");
const withPerf = needs(Bun.which("dnsperf") !== null, "dnsperf");

/** Two workers that answer for example.net on `port`. */
function nameServer(port: number): Promise<Appliance> {
  return appliance((dir) => {
    mkdirSync(join(dir, "zones"));
    writeFileSync(join(dir, "zones", "example.net.zone"), ZONE);
    return config(dir, port, 2);
  });
}

function config(dir: string, port: number, workers: number): object {
  return {
    workers,
    state: join(dir, "var"),
    admin: { listen: [] },
    dns: {
      ns: {
        listen: `127.0.0.1:${port}`,
        zones: { "example.net": { file: "./zones/example.net.zone" } },
        names: { "a.example.net": { tiers: [["192.0.2.1", "192.0.2.2"]] } },
      },
    },
  };
}

const zoneFile = ({ dir }: Appliance): string => join(dir, "zones", "example.net.zone");

async function statusOf(tern: Appliance): Promise<ServerStatus | undefined> {
  const { out } = await tern.verb("dns", "status", "--json");
  return (JSON.parse(out) as Record<string, ServerStatus>)["ns"];
}

withDig("a zone that is read again is everybody's; a broken one nobody's", async () => {
  const port = await freePort();
  await using tern = await nameServer(port);
  const answers = async (): Promise<string> => {
    // From so many ports that every worker is asked.
    const all = await Promise.all(
      Array.from({ length: 8 }, () => dig(port, "www.example.net", "A", "+short")),
    );
    return [...new Set(all.map((text) => text.trim().split("\n").toSorted().join(" ")))].join(
      " / ",
    );
  };
  expect(await answers()).toBe("192.0.2.10 192.0.2.11");

  await Bun.write(zoneFile(tern), ZONE.replace("www A 192.0.2.11", "www A 192.0.2.99"));
  expect(await tern.verb("reload")).toMatchObject({ code: 0 });
  expect(await answers()).toBe("192.0.2.10 192.0.2.99");

  await Bun.write(zoneFile(tern), ZONE.replace("www A 192.0.2.11", "www A"));
  expect(await tern.verb("reload")).toMatchObject({ code: 0 });
  expect(await answers()).toBe("192.0.2.10 192.0.2.99");
  const broken = await tern.logged("a zone is broken: the version before stays in force");
  expect(String(broken["problem"])).toContain("example.net.zone:10:");
  expect((await statusOf(tern))?.zones[0]).toMatchObject({ state: "broken", serial: 7 });
});

withDig("an operator's word reaches every worker, and outlives a restart of one", async () => {
  const port = await freePort();
  await using tern = await nameServer(port);
  const given = async (): Promise<string> => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => dig(port, "a.example.net", "A", "+short")),
    );
    return [...new Set(all.flatMap((text) => text.trim().split("\n")))].toSorted().join(" ");
  };
  expect(await given()).toBe("192.0.2.1 192.0.2.2");
  const down = await tern.verb("dns", "state", "192.0.2.2", "down");
  expect(down).toMatchObject({ code: 0, out: "192.0.2.2 down: 1 record\n" });
  expect(await given()).toBe("192.0.2.1");
  expect((await tern.verb("dns", "status")).out).toContain("unwatched, set down");

  const [worker] = (await tern.status()).workers;
  process.kill(worker?.pid ?? 0, "SIGKILL");
  await tern.logged("a worker died");
  await until(async () => (await tern.status()).workers.every((w) => w.state === "serving"));
  expect(await given()).toBe("192.0.2.1");
  const none = await tern.verb("dns", "state", "192.0.2.7", "up");
  expect(none).toMatchObject({ code: 1, err: "tern: no computed name has a record 192.0.2.7\n" });
});

withPerf("no question is lost by a reload, an upgrade, fewer workers and more", async () => {
  const port = await freePort();
  await using tern = await nameServer(port);
  const questions = join(tern.dir, "questions");
  await Bun.write(questions, "www.example.net A\na.example.net A\nno.example.net A\n");
  const at = ["-s", "127.0.0.1", "-p", String(port)];
  const load = ["-d", questions, "-l", "8", "-Q", "2000", "-c", "20", "-t", "2"];
  const running = said("dnsperf", ...at, ...load);
  await Bun.sleep(500);
  await Bun.write(zoneFile(tern), `${ZONE}\nmore A 192.0.2.7\n`);
  expect(await tern.verb("reload")).toMatchObject({ code: 0 });
  expect(await tern.verb("upgrade")).toMatchObject({ code: 0 });
  expect(await dig(port, "more.example.net", "A", "+short")).toBe("192.0.2.7\n");
  for (const workers of [1, 3]) {
    await tern.rewrite(config(tern.dir, port, workers));
    expect(await tern.verb("reload")).toMatchObject({ code: 0 });
  }
  const text = await running;
  expect(text).toMatch(/Queries lost: +0 /);
});
