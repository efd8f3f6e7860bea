import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EncodedStore } from "../../../src/services/web/encoded-store.ts";

const open = (directory: string, budget = 1_000_000, trouble = fail) =>
  EncodedStore.open(directory, budget, { wall: () => Date.now(), trouble });

function fail(error: unknown): void {
  throw error;
}

function text(store: EncodedStore, path: string, identity: string): string | undefined {
  const found = store.find(path, identity, "gzip");
  if (!found) return undefined;
  const bytes = new Uint8Array(found.length);
  readSync(found.fd, bytes, 0, found.length, found.offset);
  found.close();
  return new TextDecoder().decode(bytes);
}

describe("the store", () => {
  test("gives back what was kept, for that state of that file and that coding only", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tern-store-"));
    const store = await open(directory);
    store.keep("/a", "1", "gzip", Buffer.from("bytes"));
    await store.close();
    expect(text(store, "/a", "1")).toBe("bytes");
    expect(text(store, "/a", "2")).toBeUndefined();
    expect(text(store, "/b", "1")).toBeUndefined();
    expect(store.find("/a", "1", "br")).toBeUndefined();
    rmSync(directory, { recursive: true });
  });

  test("what is not committed is not there, and leaves nothing", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tern-store-"));
    const store = await open(directory);
    const sink = store.begin("/a", "1", "gzip");
    await sink?.write(Buffer.from("half"));
    expect(text(store, "/a", "1")).toBeUndefined();
    await sink?.abort();
    await sink?.commit();
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });

  test("what is too big for its share is given up while it is written", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tern-store-"));
    const store = await open(directory, 1600);
    store.keep("/a", "1", "gzip", new Uint8Array(101));
    await store.close();
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });

  test("a directory that goes away costs only the keeping", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tern-store-"));
    const troubles: unknown[] = [];
    const store = await open(directory, 1_000_000, (error) => void troubles.push(error));
    await store.sweep();
    rmSync(directory, { recursive: true });
    store.keep("/a", "1", "gzip", Buffer.from("bytes"));
    await store.close();
    expect(text(store, "/a", "1")).toBeUndefined();
    expect(troubles).toHaveLength(1);
  });

  test("a writer killed at any moment leaves the old, the new, or nothing", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tern-store-"));
    const source = join(import.meta.dir, "../../../src/services/web/encoded-store.ts");
    const write = `
      const { EncodedStore } = await import(${JSON.stringify(source)});
      const store = await EncodedStore.open(${JSON.stringify(directory)}, 1e9, { wall: () => Date.now(), trouble: () => {} });
      console.log("ready");
      for (let round = 0; ; round++)
        for (let file = 0; file < 5; file++) {
          const sink = store.begin("/" + file, String(round), "gzip");
          for (let i = 0; i < 20; i++) await sink.write(Buffer.alloc(1000, 65 + (round % 26)));
          await sink.commit();
        }`;
    for (const life of [20, 60, 110]) {
      const writer = Bun.spawn([process.execPath, "-e", write], { stdout: "pipe" });
      await writer.stdout.getReader().read();
      await Bun.sleep(life);
      writer.kill("SIGKILL");
      await writer.exited;
    }
    const store = await open(directory);
    let whole = 0;
    for (let file = 0; file < 5; file++)
      for (let round = 0; round < 500; round++) {
        const got = text(store, `/${file}`, String(round));
        if (got === undefined) continue;
        whole++;
        expect(got).toBe(String.fromCharCode(65 + (round % 26)).repeat(20_000));
      }
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThanOrEqual(5);
    await store.close();
    rmSync(directory, { recursive: true });
  });
});
