/** Answers made ahead: the same as the full path's, or none. */
import { describe, expect, test } from "bun:test";

import * as v from "valibot";

import type { Prepared } from "../../../../src/net/quick.ts";
import { Bans } from "../../../../src/services/proxy/cache/bans.ts";
import { Cache } from "../../../../src/services/proxy/cache/cache.ts";
import { type CacheConfig, cacheSchema } from "../../../../src/services/proxy/cache/config.ts";
import type { Entry } from "../../../../src/services/proxy/cache/entry.ts";
import { Memory } from "../../../../src/services/proxy/cache/memory.ts";
import { QuickTable } from "../../../../src/services/proxy/cache/quick/table.ts";
import { Store } from "../../../../src/services/proxy/cache/store.ts";
import type { HttpResponse } from "../../../../src/wire/http/message.ts";
import { Head, parseHead } from "../../../../src/wire/http1/head.ts";
import { type Asked, read, requestOf, START } from "./bench.ts";

const TAGGED = {
  "Cache-Control": "max-age=60",
  ETag: '"a"',
  "Last-Modified": "Sun, 22 Nov 2026 11:00:00 GMT",
};

/** A cache with its table, over a server that says the same to everybody. */
class Table {
  now = 1000;
  heard = 0;
  readonly table: QuickTable<Entry>;
  readonly memory: Memory;
  readonly bans = new Bans();
  readonly #cache: Cache;
  readonly #fields: Readonly<Record<string, string>>;
  readonly #body: Uint8Array;
  readonly #finish: (response: HttpResponse) => HttpResponse;

  constructor(
    fields: Readonly<Record<string, string>>,
    body: string | Uint8Array = "0123456789",
    finish = (response: HttpResponse): HttpResponse => response,
  ) {
    const config: CacheConfig = v.parse(cacheSchema, { memory: "1MiB" });
    this.#fields = fields;
    this.#body = typeof body === "string" ? Buffer.from(body) : body;
    this.#finish = finish;
    this.memory = new Memory(config.memory);
    this.table = new QuickTable<Entry>(64, {
      now: () => this.now,
      wall: () => this.wall,
      bans: this.bans,
      source: ({ body }) => (body.kind === "memory" ? body : undefined),
      grown: (entry) => this.memory.weigh(entry),
    });
    this.#cache = new Cache(config, {
      store: new Store(this.memory, this.bans),
      wall: () => this.wall,
      trusted: undefined,
      boundary: () => "x",
      invalidate: () => {},
      purge: () => 0,
      used: (request, entry, way) => this.table.learn(request, entry, way),
    });
  }

  /** Whole seconds, so that what is told of them is the same to the digit. */
  get wall(): number {
    return START + this.now - 1000;
  }

  async full(asked: Asked = {}): Promise<{ text: string; head: string }> {
    const response = this.#finish(
      await this.#cache.answer(requestOf(asked), {
        expands: false,
        part: () => "",
        fetch: async () => {
          this.heard++;
          const headers = Object.entries({
            Date: new Date(this.wall).toUTCString(),
            ...this.#fields,
          });
          return {
            status: 200,
            headers,
            body: { kind: "pieces", pieces: [this.#body.slice()] },
            named: true,
          };
        },
        finish: this.#finish,
      }),
    );
    const head = response.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
    return { text: await read(response.body), head };
  }

  quick({ method = "GET", path = "/", headers = {} }: Asked = {}): Prepared | undefined {
    const lines = Object.entries({ Host: "example.net", ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    const head = new Head();
    expect(parseHead(bytes, 0, bytes.length, head, 4096)).toBe(bytes.length);
    const prepared = this.table.find(head, this.now);
    prepared?.refresh({ second: Math.floor(this.wall / 1000), bytes: new Uint8Array(29) });
    return prepared;
  }
}

function bodyOf(prepared: Prepared | undefined): string {
  const bytes = Buffer.alloc(prepared?.source?.length ?? 0);
  prepared?.source?.copyTo(bytes, 0);
  return bytes.toString();
}

/** Fields as the full path tells them. */
function fieldsOf(bytes: Uint8Array): string {
  const [, ...lines] = Buffer.from(bytes).toString("latin1").trimEnd().split("\r\n");
  return lines.map((line) => line.trimEnd()).join("\n");
}

describe("answers made ahead", () => {
  test("are not there until the full path has answered from memory; then they are the same", async () => {
    const table = new Table(TAGGED);
    await table.full();
    expect(table.quick()).toBeUndefined();
    const full = await table.full();
    table.now += 7000;
    const quick = table.quick();
    expect(bodyOf(quick)).toBe(full.text);
    const later = await table.full();
    expect(fieldsOf(quick!.head)).toBe(`${later.head}\nContent-Length: 10`);
    expect(later.head).toContain("Age: 7\nCache-Status: tern; hit; ttl=53");
    expect(fieldsOf(quick!.closing)).toBe(`${fieldsOf(quick!.head)}\nConnection: close`);
    expect(table.heard).toBe(1);
  });

  test.each<{ story: string; asked: Asked; status: number | undefined }>([
    { story: "HEAD", asked: { method: "HEAD" }, status: 200 },
    { story: "our tag", asked: { headers: { "If-None-Match": '"a"' } }, status: 304 },
    {
      story: "our date",
      asked: { headers: { "If-Modified-Since": TAGGED["Last-Modified"] } },
      status: 304,
    },
    {
      story: "codings make no difference",
      asked: { headers: { "Accept-Encoding": "br" } },
      status: 200,
    },
    { story: "cookies neither", asked: { headers: { Cookie: "a=b" } }, status: 200 },
    { story: "another tag", asked: { headers: { "If-None-Match": '"b"' } }, status: undefined },
    { story: "another date", asked: { headers: { "If-Modified-Since": "x" } }, status: undefined },
    { story: "a part", asked: { headers: { Range: "bytes=0-1" } }, status: undefined },
    { story: "credentials", asked: { headers: { Authorization: "x" } }, status: undefined },
    { story: "If-Match", asked: { headers: { "If-Match": "*" } }, status: undefined },
    { story: "Expect", asked: { headers: { Expect: "100-continue" } }, status: undefined },
    {
      story: "Upgrade",
      asked: { headers: { Upgrade: "x", Connection: "upgrade" } },
      status: undefined,
    },
    { story: "POST", asked: { method: "POST" }, status: undefined },
    { story: "another path", asked: { path: "/x" }, status: undefined },
    { story: "another host", asked: { headers: { Host: "example.com" } }, status: undefined },
    { story: "another port", asked: { headers: { Host: "example.net:1" } }, status: undefined },
    { story: "a host in the target", asked: { path: "http://example.net/" }, status: undefined },
  ])("$story: $status", async ({ asked, status }) => {
    const table = new Table(TAGGED);
    for (const headers of [{}, {}, { "if-none-match": '"a"' }])
      await table.full({ headers } as Asked);
    expect(table.quick(asked)?.status).toBe(status);
  });

  test("one for each class of codings, where the response varies by them", async () => {
    const table = new Table({ ...TAGGED, Vary: "Accept-Encoding" });
    const br = { headers: { "accept-encoding": "br" } };
    await table.full(br);
    await table.full(br);
    expect(table.quick({ headers: { "Accept-Encoding": "br" } })?.status).toBe(200);
    for (const coding of ["gzip", "BR", "br, gzip"])
      expect(table.quick({ headers: { "Accept-Encoding": coding } })).toBeUndefined();
    expect(table.quick()).toBeUndefined();
  });

  test.each(["Cookie", "Accept-Language", "Accept-Encoding, Origin"])(
    "none where it varies by %s",
    async (vary) => {
      const table = new Table({ ...TAGGED, Vary: vary });
      await table.full();
      await table.full();
      expect(table.quick()).toBeUndefined();
    },
  );

  test("none when it is stale, purged, or gone from memory", async () => {
    for (const end of [
      (table: Table) => void (table.now += 60_000),
      (table: Table) => table.memory.forget("example.net/"),
      (table: Table) => void table.memory.sweep(() => true),
    ]) {
      const table = new Table(TAGGED);
      await table.full();
      await table.full();
      expect(table.quick()?.status).toBe(200);
      end(table);
      expect(table.quick()).toBeUndefined();
    }
  });

  test("too large a body is sent otherwise", async () => {
    const table = new Table(TAGGED, new Uint8Array(70_000));
    await table.full();
    await table.full();
    expect(table.quick()).toBeUndefined();
  });

  test("as the operator wants all of them", async () => {
    const table = new Table(TAGGED, "x", (response) => ({
      ...response,
      headers: [...response.headers.filter(([name]) => name !== "Age"), ["X-Ours", "1"]],
    }));
    await table.full();
    await table.full();
    const text = fieldsOf(table.quick()!.head);
    expect(text).toContain("\nX-Ours: 1\n");
    expect(text).not.toContain("Age:");
  });

  test("many more URLs than places: whatever is answered is right", async () => {
    const table = new Table(TAGGED);
    for (let i = 0; i < 300; i++) for (let k = 0; k < 2; k++) await table.full({ path: `/${i}` });
    const found = Array.from({ length: 300 }, (_, i) => table.quick({ path: `/${i}` })).filter(
      Boolean,
    );
    expect(found.length).toBeGreaterThan(40);
    expect(found.length).toBeLessThanOrEqual(64);
  });
});
