import { describe, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";

import { settled } from "../../../src/wire/http/message.ts";
import { type Got, type House, house, request, SINCE } from "./visit.ts";

const page = "<p>The quick brown fox jumps over the lazy dog.</p>\n".repeat(100);
const large = Buffer.from(
  Array.from({ length: 60_000 }, (_, i) => `line ${i} of a long file\n`).join(""),
);
const noise = crypto.getRandomValues(new Uint8Array(4000));

function plain({ bytes, headers }: Got): string {
  const coding = headers.get("content-encoding");
  if (coding === "gzip") return gunzipSync(bytes).toString();
  if (coding === "br") return brotliDecompressSync(bytes).toString();
  if (coding === "zstd") return zstdDecompressSync(bytes).toString();
  return Buffer.from(bytes).toString();
}

const ask = (site: House, target: string, accept: string, more = {}) =>
  site.get(target, { headers: { "accept-encoding": accept, ...more } });

describe("negotiation", () => {
  test.each([
    { accept: "gzip", coding: "gzip" },
    { accept: "br", coding: "br" },
    { accept: "zstd", coding: "zstd" },
    { accept: "gzip, deflate, br, zstd", coding: "zstd" },
    { accept: "gzip;q=1, br;q=0.5", coding: "gzip" },
    { accept: "*", coding: "zstd" },
    { accept: "*;q=0", coding: null },
    { accept: "gzip;q=0", coding: null },
    { accept: "deflate", coding: null },
    { accept: "identity, gzip;q=0.5", coding: null },
  ])("$accept is answered in $coding", async ({ accept, coding }) => {
    await using site = await house({ "page.html": page });
    const got = await ask(site, "/page.html", accept);
    expect(got.status).toBe(200);
    expect(got.headers.get("content-encoding")).toBe(coding);
    expect(got.headers.get("vary")).toBe("Accept-Encoding");
    expect(plain(got)).toBe(page);
    expect(got.response.body.kind).toBe("pieces");
  });

  test("each coding has its own strong tag, and 304 with it", async () => {
    await using site = await house({ "page.html": page });
    const tags = new Set<string>();
    for (const accept of ["identity", "gzip", "br", "zstd"]) {
      const etag = (await ask(site, "/page.html", accept)).headers.get("etag") ?? "";
      tags.add(etag);
      const again = await ask(site, "/page.html", accept, { "if-none-match": etag });
      expect(again.status).toBe(304);
      expect(again.headers.get("vary")).toBe("Accept-Encoding");
    }
    expect(tags.size).toBe(4);
  });

  test.each([
    { story: "no such type", target: "/pic.png", vary: null },
    { story: "too small", target: "/small.html", vary: null },
    { story: "too large", target: "/page.html", config: { gzip: { max: "2k" } }, vary: null },
    {
      story: "switched off",
      target: "/page.html",
      config: { gzip: { enabled: false } },
      vary: null,
    },
    { story: "no codings", target: "/page.html", config: { encodings: [] }, vary: null },
    { story: "it gains nothing", target: "/noise.txt", vary: null },
  ])("$story: sent as it is", async ({ config, target, vary }) => {
    await using site = await house(
      { "pic.png": page, "small.html": "x", "page.html": page, "noise.txt": noise },
      config,
    );
    await ask(site, target, "gzip");
    const got = await ask(site, target, "gzip");
    expect([got.headers.get("content-encoding"), got.headers.get("vary")]).toEqual([null, vary]);
  });

  test("a range is a range of the coded bytes, under their tag", async () => {
    await using site = await house({ "page.html": page });
    const whole = await ask(site, "/page.html", "gzip");
    const part = await ask(site, "/page.html", "gzip", {
      range: "bytes=3-9",
      "if-range": whole.headers.get("etag") ?? "",
    });
    expect([part.status, part.headers.get("content-encoding")]).toEqual([206, "gzip"]);
    expect(part.bytes).toEqual(whole.bytes.slice(3, 10));
  });

  test("many at once are compressed once", async () => {
    await using site = await house({ "page.html": page });
    const all = await Promise.all(
      Array.from({ length: 50 }, () => ask(site, "/page.html", "gzip")),
    );
    const [first] = all.map(({ response: { body } }) =>
      body.kind === "pieces" ? body.pieces[0] : undefined,
    );
    for (const { response } of all)
      expect(response.body.kind === "pieces" && response.body.pieces[0] === first).toBe(true);
  });
});

describe("files beside the original", () => {
  const files = { "a.js": page, "a.js.br": "brotli!", "a.js.gz": "gzip!" };
  test.each([
    { accept: "br, gzip", text: "brotli!", coding: "br" },
    { accept: "gzip", text: "gzip!", coding: "gzip" },
    { accept: "identity", text: page, coding: null },
  ])("$accept", async ({ accept, coding, text }) => {
    await using site = await house(files);
    const got = await ask(site, "/a.js", accept);
    expect(got.text).toBe(text);
    expect(got.headers.get("content-encoding")).toBe(coding);
    expect(got.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  test("one found outranks one made, when liked as much", async () => {
    await using site = await house({ "a.js": page, "a.js.gz": "gzip!" });
    expect((await ask(site, "/a.js", "zstd, br, gzip")).text).toBe("gzip!");
    expect((await ask(site, "/a.js", "zstd, br, gzip;q=0.9")).headers.get("content-encoding")).toBe(
      "zstd",
    );
  });

  test("one older than the original is not used", async () => {
    await using site = await house(files);
    utimesSync(join(site.root, "a.js.br"), SINCE / 1000 - 60, SINCE / 1000 - 60);
    const got = await ask(site, "/a.js", "br");
    expect(plain(got)).toBe(page);
  });

  test("one can be asked for by its own name", async () => {
    await using site = await house(files);
    const got = await ask(site, "/a.js.br", "br");
    expect([got.text, got.headers.get("content-encoding")]).toEqual(["brotli!", null]);
  });

  test("one built anew from the same original has another tag", async () => {
    await using site = await house(files, { cache: { ttl: 0 } });
    const tag = async () => (await ask(site, "/a.js", "br")).headers.get("etag") ?? "";
    const first = await tag();
    expect(await tag()).toBe(first);
    writeFileSync(join(site.root, "a.js.br"), "better!"); // as long as before
    const got = await ask(site, "/a.js", "br", { "if-none-match": first });
    expect([got.status, got.text]).toEqual([200, "better!"]);
    const second = got.headers.get("etag") ?? "";
    expect(second).not.toBe(first);
    expect((await ask(site, "/a.js", "br", { "if-none-match": second })).status).toBe(304);
  });

  test("switched off", async () => {
    await using site = await house(files, { precompressed: false });
    expect(plain(await ask(site, "/a.js", "br"))).toBe(page);
  });

  test("large ones are sent from their file", async () => {
    await using site = await house({ "a.js": large, "a.js.br": large });
    const got = await ask(site, "/a.js", "br");
    expect(got.response.body.kind === "pieces" && "fd" in (got.response.body.pieces[0] ?? {})).toBe(
      true,
    );
    expect(got.bytes).toEqual(new Uint8Array(large));
  });
});

describe("large files", () => {
  test.each(["gzip", "br", "zstd"])(
    "%s: first a stream, then from the store with its length",
    async (coding) => {
      await using site = await house({ "log.txt": large });
      const first = await ask(site, "/log.txt", coding);
      expect(first.response.body.kind).toBe("stream");
      expect(first.headers.get("content-encoding")).toBe(coding);
      expect(first.headers.get("accept-ranges")).toBeNull();
      expect(plain(first)).toBe(large.toString());
      const second = await ask(site, "/log.txt", coding);
      expect(second.response.body.kind).toBe("pieces");
      expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(plain(second)).toBe(large.toString());
    },
  );

  test("a range is of the file as it is while there is only a stream", async () => {
    await using site = await house({ "log.txt": large });
    const got = await ask(site, "/log.txt", "gzip", { range: "bytes=0-3" });
    expect([got.status, got.text, got.headers.get("content-encoding")]).toEqual([
      206,
      "line",
      null,
    ]);
  });

  test("HEAD has no length while there is only a stream", async () => {
    await using site = await house({ "log.txt": large });
    const got = await site.get("/log.txt", {
      method: "HEAD",
      headers: { "accept-encoding": "gzip" },
    });
    expect([
      got.status,
      got.headers.get("content-length"),
      got.headers.get("content-encoding"),
    ]).toEqual([200, null, "gzip"]);
  });

  test("a client that leaves keeps nothing open, and nothing half in the store", async () => {
    const state = mkdtempSync(join(tmpdir(), "tern-state-"));
    {
      await using site = await house({ "log.txt": large }, {}, { state });
      const asked = request("/log.txt", { headers: { "accept-encoding": "gzip" } });
      const response = await settled(site.site.handler(asked));
      if (response.body.kind !== "stream") throw new Error("expected a stream");
      const reader = response.body.stream.getReader();
      await reader.read();
      await reader.cancel();
      expect(readdirSync(join(state, "web/encoded/site-site"))).toEqual([]);
    }
    rmSync(state, { recursive: true });
  });
});

describe("the store", () => {
  const encoded = (state: string) => join(state, "web/encoded/site-site");

  test("survives a restart, and is not used once the file has changed", async () => {
    const state = mkdtempSync(join(tmpdir(), "tern-state-"));
    const root = mkdtempSync(join(tmpdir(), "tern-www-"));
    let first: Got;
    {
      await using site = await house({ "page.html": page }, {}, { state, root });
      first = await ask(site, "/page.html", "gzip");
    }
    expect(readdirSync(encoded(state))).toHaveLength(1);
    // Proof that the second life reads it: other bytes are in it now.
    const [name = ""] = readdirSync(encoded(state));
    const kept = join(encoded(state), name);
    const bytes = Buffer.from(await Bun.file(kept).arrayBuffer());
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(kept, bytes);
    {
      await using site = await house({}, {}, { state, root });
      const second = await ask(site, "/page.html", "gzip");
      expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(second.bytes.at(-1)).not.toBe(first.bytes.at(-1));
    }
    {
      await using site = await house({ "page.html": `${page}!` }, {}, { state, root });
      expect(plain(await ask(site, "/page.html", "gzip"))).toBe(`${page}!`);
    }
    expect(readdirSync(encoded(state))).toHaveLength(1);
    for (const directory of [state, root]) rmSync(directory, { recursive: true });
  });

  test.each([
    { story: "empty", spoil: (file: string) => truncateSync(file, 0) },
    { story: "cut within its label", spoil: (file: string) => truncateSync(file, 30) },
    { story: "something else", spoil: (file: string) => writeFileSync(file, "x".repeat(500)) },
    { story: "gone", spoil: (file: string) => unlinkSync(file) },
  ])("a kept file that is $story is made again", async ({ spoil }) => {
    const state = mkdtempSync(join(tmpdir(), "tern-state-"));
    const root = mkdtempSync(join(tmpdir(), "tern-www-"));
    {
      await using site = await house({ "page.html": page }, {}, { state, root });
      await ask(site, "/page.html", "gzip");
    }
    for (const name of readdirSync(encoded(state))) spoil(join(encoded(state), name));
    {
      await using site = await house({}, {}, { state, root });
      expect(plain(await ask(site, "/page.html", "gzip"))).toBe(page);
    }
    for (const directory of [state, root]) rmSync(directory, { recursive: true });
  });

  test("stays within its budget, and what dead writers left is swept", async () => {
    const state = mkdtempSync(join(tmpdir(), "tern-state-"));
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`p${i}.html`, `${i}${page}`]),
    );
    {
      await using site = await house(files, { gzip: { store_max: "4k" } }, { state });
      for (const name of Object.keys(files)) await ask(site, `/${name}`, "gzip");
    }
    const old = join(encoded(state), "dead.part");
    writeFileSync(old, "half");
    utimesSync(old, 0, 0);
    writeFileSync(join(encoded(state), "alive.part"), "half");
    {
      await using _ = await house({}, { gzip: { store_max: "4k" } }, { state });
    }
    const names = readdirSync(encoded(state));
    expect(names.filter((name) => name.endsWith(".part"))).toEqual(["alive.part"]);
    const bytes = names
      .map((name) => statSync(join(encoded(state), name)).size)
      .reduce((a, b) => a + b, 0);
    expect(bytes).toBeLessThanOrEqual(4096);
    expect(bytes).toBeGreaterThan(500);
    rmSync(state, { recursive: true });
  });
});
