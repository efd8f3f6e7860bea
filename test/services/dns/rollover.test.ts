/** The key of a zone is replaced, and validators notice nothing. */
import { describe, expect, test } from "bun:test";
import { utimes } from "node:fs/promises";
import { join } from "node:path";

import { dig, said, type Serving, serving } from "./serving.ts";

const HOUR = 3_600_000;

async function act(server: Serving, step: string, force = false): Promise<unknown> {
  const roll = server.instance.actions?.["roll"];
  return roll?.run({ zone: "Example.net", step, force });
}

/** The DNSKEYs as trust anchors, one file for each. */
async function anchors(server: Serving): Promise<string[]> {
  const text = await dig(server.port, "+short", "example.net", "DNSKEY");
  return Promise.all(
    text
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("257"))
      .map(async (line, i) => {
        const [flags, protocol, algorithm, ...key] = line.split(" ");
        const path = join(server.dir, `anchor-${i}-${key.join("").slice(-8).replaceAll("/", "_")}`);
        await Bun.write(
          path,
          `trust-anchors { example.net. static-key ${flags} ${protocol} ${algorithm} "${key.join("")}"; };\n`,
        );
        return path;
      }),
  );
}

async function validated(server: Serving, anchor: string): Promise<boolean> {
  const where = ["@127.0.0.1", "-p", String(server.port), "-a", anchor, "+root=example.net"];
  const answers = await Promise.all(
    [
      ["www.example.net", "A"],
      ["nope.example.net", "A"],
      ["example.net", "CDS"],
    ].map((question) => said("delv", ...where, ...question)),
  );
  return answers.every((text) => /^; (negative response, )?fully validated/.test(text));
}

/** Who signs, by tag. */
async function signers(server: Serving, type: string): Promise<string[]> {
  const text = await dig(server.port, "+dnssec", "+noall", "+answer", "example.net", type);
  return text
    .split("\n")
    .filter((line) => line.includes("RRSIG"))
    .map((line) => line.split(/\s+/)[10] as string)
    .sort();
}

async function tags(server: Serving): Promise<{ role: string; tag: string; signs: boolean }[]> {
  const status = server.instance.actions?.["status"];
  const all = (await status?.run({})) as Record<
    string,
    { zones: { keys: { role: string; tag: number; signs: boolean }[] }[] }
  >;
  const keys = all["ns"]?.zones[0]?.keys ?? [];
  return keys.map(({ role, tag, signs }) => ({ role, tag: `${tag}`, signs }));
}

/** The next key is so old. */
async function aged(server: Serving, ms: number): Promise<void> {
  const then = new Date(Date.now() - ms);
  await utimes(join(server.host.state, "dns/keys/example.net.next.key"), then, then);
  await server.reload();
}

const signed = { zones: { "example.net": { dnssec: "online" } } };

describe.skipIf(Bun.which("delv") === null)("a key is replaced", () => {
  test("step by step, and every validator is content at each", async () => {
    await using server = await serving(signed);
    const [old = ""] = await anchors(server);
    const [{ tag: oldTag } = { tag: "" }] = await tags(server);

    await act(server, "begin");
    await server.reload();
    await expect(act(server, "begin")).rejects.toThrow("a key is being replaced already");
    const both = await anchors(server);
    const next = both.find((path) => path.split("-").at(-1) !== old.split("-").at(-1)) as string;
    const nextTag = (await tags(server)).find(({ role }) => role === "next")?.tag as string;
    expect(both).toHaveLength(2);
    expect(await signers(server, "DNSKEY")).toEqual([oldTag, nextTag].sort());
    expect(await signers(server, "CDS")).toEqual([oldTag, nextTag].sort());
    expect(await signers(server, "SOA")).toEqual([oldTag]);
    expect(await Promise.all(both.map((one) => validated(server, one)))).toEqual([true, true]);
    await expect(act(server, "finish")).rejects.toThrow("others may need the old key for another");

    await aged(server, 2 * HOUR);
    expect(await signers(server, "SOA")).toEqual([nextTag]);
    expect(await Promise.all(both.map((one) => validated(server, one)))).toEqual([true, true]);
    await expect(act(server, "abandon")).rejects.toThrow("signs records already");

    await aged(server, 24 * HOUR);
    await act(server, "finish");
    await server.reload();
    expect(await tags(server)).toEqual([{ role: "current", tag: nextTag, signs: true }]);
    expect(await signers(server, "DNSKEY")).toEqual([nextTag]);
    expect(await validated(server, next)).toBe(true);
    expect(await validated(server, old)).toBe(false);
    await expect(act(server, "finish")).rejects.toThrow("no key is being replaced");
  }, 60_000);

  test("or it is abandoned", async () => {
    await using server = await serving(signed);
    const before = await tags(server);
    await act(server, "begin");
    await server.reload();
    await act(server, "abandon");
    await server.reload();
    expect(await tags(server)).toEqual(before);
  });

  test("only where we sign", async () => {
    await using server = await serving({});
    await expect(act(server, "begin")).rejects.toThrow("is no zone that is signed here");
  });
});

test.each([
  { cds: "publish", cdsIs: /^\d+ 13 2 /, cdnskeyIs: /^257 3 13 / },
  { cds: "delete", cdsIs: /^0 0 0 00$/, cdnskeyIs: /^0 3 0 AA==$/ },
  { cds: "off", cdsIs: /^$/, cdnskeyIs: /^$/ },
])("cds: $cds", async ({ cds, cdsIs, cdnskeyIs }) => {
  await using server = await serving({ zones: { "example.net": { dnssec: "online", cds } } });
  expect((await dig(server.port, "+short", "example.net", "CDS")).trim()).toMatch(cdsIs);
  expect((await dig(server.port, "+short", "example.net", "CDNSKEY")).trim()).toMatch(cdnskeyIs);
});
