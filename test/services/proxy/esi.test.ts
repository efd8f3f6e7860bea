/** Pages with holes: what clients get of them, what servers are asked, and what is refused. */
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { until } from "../../e2e/from-source.ts";
import { dial, responses } from "../../e2e/wire.ts";
import { memoryLog } from "../../fake/log.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";
import { accepts, freePort } from "../../fake/ports.ts";
import { type Proxying, proxying } from "../../fake/proxying.ts";
import { sayer, scripted } from "../../fake/scripted.ts";
import { temporary } from "../../fake/temporary.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const ESI = { "Surrogate-Control": 'content="ESI/1.0"' };
const include = (src: string, more = ""): string => `<esi:include src="${src}"${more}/>`;
const page = (text: string, headers: Record<string, string> = {}, status = 200): Response =>
  new Response(Buffer.from(text, "latin1"), { status, headers: { ...ESI, ...headers } });
const text = (said: string, headers: Record<string, string> = {}): Response =>
  new Response(said, { headers });

/** A server of these answers by path; what is not among them is gone. It remembers what it was asked. */
function serverOf(answers: Readonly<Record<string, () => Response>>) {
  const asked: { readonly url: string; readonly headers: Headers }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked.push({ url: request.url, headers: new Headers(request.headers) });
      return answers[new URL(request.url).pathname]?.() ?? new Response("gone", { status: 404 });
    },
  });
  stack.defer(() => server.stop(true));
  const paths = (): string[] => asked.map(({ url }) => new URL(url).pathname);
  return { port: server.port ?? 0, asked, paths };
}

const EXPANDED = { routes: [{ pool: "app", esi: true }] };
const edgeOf = async (port: number, keys: object = EXPANDED, wishes = {}): Promise<Proxying> =>
  stack.use(await proxying([port], keys, wishes));
const get = (edge: Proxying, path = "/", init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${edge.port}${path}`, { keepalive: false, redirect: "manual", ...init });

const FRAGMENTS = {
  "/b": () => text("B"),
  "/nested": () => page(`[${include("/b")}]`),
  "/raw": () => text(include("/b")),
  "/big": () => text("x".repeat(1024 * 1024)),
  "/gzip": () => text("x", { "Content-Encoding": "x-unknown" }),
  "/moved": () => new Response(null, { status: 302, headers: { Location: "/b" } }),
};

describe("a page", () => {
  test.each([
    { story: "no holes", said: "plain", got: "plain" },
    { story: "filled", said: `a${include("/b")}c`, got: "aBc" },
    { story: "filled twice", said: include("/b") + include("/b"), got: "BB" },
    { story: "removed", said: "<esi:remove>x</esi:remove>z", got: "z" },
    { story: "shown", said: `<!--esi ${include("/b")}-->`, got: " B" },
    { story: "one within another", said: include("/nested"), got: "[B]" },
    { story: "a fragment that does not say ESI", said: include("/raw"), got: include("/b") },
    { story: "gone, and no matter", said: `a${include("/no", ' onerror="continue"')}c`, got: "ac" },
    { story: "something else instead", said: include("/no", ' alt="/b"'), got: "B" },
    { story: "none of both", said: include("/no", ' alt="/no" onerror="continue"'), got: "" },
    { story: "another host", said: include("//evil.test/", ' onerror="continue"'), got: "" },
    { story: "bytes above ASCII", said: "\xe9\xff", got: "\xe9\xff" },
    { story: "nothing", said: "", got: "" },
  ])("$story", async ({ said, got }) => {
    const app = serverOf({ ...FRAGMENTS, "/": () => page(said) });
    const answer = await get(await edgeOf(app.port));
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.bytes()).toString("latin1")).toBe(got);
    expect(answer.headers.get("surrogate-control")).toBeNull();
    expect(answer.headers.get("content-length")).toBe(String(got.length));
  });

  test.each([
    { story: "gone", said: include("/no"), why: "404 for /no" },
    { story: "another host", said: include("http://evil.test/"), why: "not a path of this host" },
    { story: "another, without scheme", said: include("//evil.test/"), why: "not a path of this" },
    { story: "above the root", said: include("/../x"), why: "not a path of this host" },
    { story: "a relative path", said: include("b"), why: "not a path of this host" },
    { story: "a line in a path", said: include("/b\r\nX: y"), why: "not a path of this host" },
    { story: "itself", said: include("/"), why: "deeper than 3" },
    { story: "too many", said: include("/b").repeat(65), why: "more than 64 includes" },
    { story: "too much", said: include("/big").repeat(4), why: "more than 4194304 bytes" },
    { story: "not understood", said: "<esi:vars>x</esi:vars>", why: "esi:vars" },
    { story: "packed", said: include("/gzip"), why: "x-unknown" },
    { story: "elsewhere", said: include("/moved"), why: "302 for /moved" },
  ])("502, and the log says why: $story", async ({ said, why }) => {
    const app = serverOf({ ...FRAGMENTS, "/": () => page(said) });
    const log = memoryLog();
    const answer = await get(await edgeOf(app.port, EXPANDED, { log }));
    expect(answer.status).toBe(502);
    expect(await answer.text()).toBe("502\n");
    expect(log.lines).toContain("warn a page was not put together");
    expect(JSON.stringify(log.fields)).toContain(why);
  });

  test("502: a fragment that breaks off", async () => {
    const app = serverOf({ "/": () => page(include("/cut")) });
    const broken = stack.use(
      sayer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", (caller) => caller.end()),
    );
    const routes = [...EXPANDED.routes, { path: "/cut", pool: "cut" }];
    const others = [new FakePool("cut", [new FakeServer("cut", broken.port)])];
    expect((await get(await edgeOf(app.port, { routes }, { others }))).status).toBe(502);
  });

  test("of an error is one, too", async () => {
    const app = serverOf({
      "/": () => page(`no ${include("/b")}`, {}, 404),
      "/b": FRAGMENTS["/b"],
    });
    const answer = await get(await edgeOf(app.port));
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe("no B");
  });

  test("is no page without the key, nor one that does not say so", async () => {
    const app = serverOf({ "/says": () => page(include("/b")), "/b": () => text(include("/c")) });
    const headers = { "Surrogate-Capability": 'x="ESI/1.0"' };
    const off = await get(await edgeOf(app.port, {}), "/says", { headers });
    expect(await off.text()).toBe(include("/b"));
    expect(off.headers.get("surrogate-control")).toBe('content="ESI/1.0"');
    expect(await (await get(await edgeOf(app.port), "/b")).text()).toBe(include("/c"));
    expect(app.paths()).toEqual(["/says", "/b"]);
  });
});

describe("servers are asked", () => {
  test("for all of it, by the client's host, and told who asks and what it understands", async () => {
    const app = serverOf({ "/": () => page(include("/b?q=1")), "/b": () => text("B") });
    const headers = {
      Host: "www.example.net",
      Cookie: "a=b",
      Range: "bytes=0-1",
      "If-None-Match": '"x"',
      "Accept-Encoding": "gzip",
      "Surrogate-Capability": 'evil="X"',
    };
    const answer = await get(await edgeOf(app.port), "/", { headers });
    expect(answer.status).toBe(200);
    expect(app.asked.map(({ url }) => url)).toEqual([
      "http://www.example.net/",
      "http://www.example.net/b?q=1",
    ]);
    for (const { headers: heard } of app.asked) {
      expect(heard.get("surrogate-capability")).toBe('tern="ESI/1.0"');
      expect(heard.get("cookie")).toBe("a=b");
      for (const name of ["range", "if-none-match", "accept-encoding"])
        expect(heard.get(name)).toBeNull();
    }
  });

  test("by the route of each fragment, which may refuse", async () => {
    const app = serverOf({ "/": () => page(include("/in/b")), "/in/b": () => text("B") });
    const users = { ann: await Bun.password.hash("x", { algorithm: "argon2id", memoryCost: 8 }) };
    const routes = [...EXPANDED.routes, { path: "/in/", pool: "app", auth: { users } }];
    const edge = await edgeOf(app.port, { routes });
    expect((await get(edge)).status).toBe(502);
    const headers = { Authorization: `Basic ${btoa("ann:x")}` };
    expect(await (await get(edge, "/", { headers })).text()).toBe("B");
    const heard = app.asked.at(-1)?.headers;
    expect(heard?.get("surrogate-capability")).toBeNull(); // that route has no pages
  });

  test("no longer when the client is gone", async () => {
    const app = serverOf({ "/": () => page(include("/silent") + include("/silent?2")) });
    const silent = stack.use(scripted(() => {}));
    const routes = [...EXPANDED.routes, { path: "/silent", pool: "silent" }];
    const others = [new FakePool("silent", [new FakeServer("silent", silent.port)])];
    const edge = await edgeOf(app.port, { routes }, { others });
    const leaving = new AbortController();
    const answer = get(edge, "/", { signal: leaving.signal }).catch(() => "left");
    await until(() => silent.callers.length === 2);
    leaving.abort();
    expect(await answer).toBe("left");
    await until(() => silent.over === 2);
  });

  test("a POST as it is", async () => {
    const app = serverOf({ "/": () => text("done") });
    const answer = await get(await edgeOf(app.port), "/", { method: "POST", body: "x" });
    expect(await answer.text()).toBe("done");
    expect(app.asked[0]?.headers.get("surrogate-capability")).toBeNull();
  });
});

test("a client that would speak HTTP/2 gets pages, and its fragments, as any other", async () => {
  const app = serverOf({ "/": () => page(include("/b")), "/b": () => text("B") });
  const edge = await edgeOf(app.port);
  using line = await dial(edge.port);
  const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n";
  line.say(`GET / HTTP/1.1\r\nHost: a.test\r\n${upgrade}\r\n`);
  expect(await line.until((heard) => responses(heard).length === 1)).toBe(true);
  expect(responses(line.heard)[0]?.body).toBe("B");
  expect(app.paths()).toEqual(["/", "/b"]);
});

describe("what is said of a page", () => {
  const OF_THE_TEMPLATE = {
    ETag: '"t"',
    "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT",
    "Accept-Ranges": "bytes",
    Expires: "Sat, 01 Jan 2050 00:00:00 GMT",
    "Cache-Control": "public, max-age=60, no-transform",
    "Content-Type": "text/html",
    "X-Page": "p",
  };
  test.each(["GET", "HEAD"])("%s: nothing that holds for its template alone", async (method) => {
    const app = serverOf({
      "/": () => page(include("/b"), OF_THE_TEMPLATE),
      "/b": () => text("B"),
    });
    const { headers, status } = await get(await edgeOf(app.port), "/", { method });
    expect(status).toBe(200);
    for (const name of ["etag", "last-modified", "accept-ranges", "expires", "surrogate-control"])
      expect(headers.get(name)).toBeNull();
    expect(headers.get("cache-control")).toBe("private, no-cache, no-transform");
    expect(headers.get("x-page")).toBe("p");
    expect(app.paths()).toEqual(method === "GET" ? ["/", "/b"] : ["/"]);
  });

  test("it is compressed when all of it is there", async () => {
    const app = serverOf({
      "/": () => page(include("/b"), { "Content-Type": "text/html" }),
      "/b": () => text("B".repeat(5000)),
    });
    const keys = { ...EXPANDED, compress: { encodings: ["gzip"] } };
    const headers = { "Accept-Encoding": "gzip" };
    const init: BunFetchRequestInit = { headers, decompress: false };
    const answer = await get(await edgeOf(app.port, keys), "/", init);
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await answer.bytes()).toString()).toBe("B".repeat(5000));
  });
});

test("a cache keeps the template, and each fragment by its own rules", async () => {
  let count = 0;
  const kept = { "Cache-Control": "max-age=600" };
  const app = serverOf({
    "/": () => page(include("/kept") + include("/new"), { ...kept, ETag: '"t"' }),
    "/kept": () => text("K", kept),
    "/new": () => text(String(++count), { "Cache-Control": "no-store" }),
  });
  const edge = await edgeOf(app.port, { ...EXPANDED, cache: {} });
  // The third is one that the quick path would answer, did it know of the template.
  for (const [expected, headers] of [
    ["K1", {}],
    ["K2", {}],
    ["K3", {}],
    ["K4", { "If-None-Match": '"t"' }],
  ] as const) {
    const answer = await get(edge, "/", { headers });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(expected);
    expect(answer.headers.get("age")).toBeNull();
  }
  expect(app.paths().toSorted()).toEqual(["/", "/kept", "/new", "/new", "/new", "/new"]);
});

test.each([
  { story: "a stranger", trust: [], first: "whole" },
  { story: "a proxy that is trusted", trust: ["127.0.0.1"], first: "in pieces" },
])("a cache has no pages in pieces for all since $story may have them so", async (row) => {
  const kept = { "Cache-Control": "max-age=600" };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ headers }) =>
      headers.has("surrogate-capability") ? page("in pieces", kept) : text("whole", kept),
  });
  stack.defer(() => server.stop(true));
  const edge = await edgeOf(server.port ?? 0, { trust: row.trust, cache: {} });
  const headers = { "Surrogate-Capability": 'x="ESI/1.0"' };
  for (let i = 0; i < 3; i++) {
    expect(await (await get(edge, "/", { headers })).text()).toBe(row.first);
    expect(await (await get(edge)).text()).toBe("whole");
  }
});

const missing = Bun.which("nginx") === null;
if (missing) process.stderr.write("SKIPPED: no nginx\n");
test.skipIf(missing)("files of nginx, kept by the cache", async () => {
  const dir = stack.use(await temporary());
  const port = await freePort();
  await Bun.write(
    join(dir.path, "nginx.conf"),
    `daemon off; user root; pid ${dir.path}/pid; error_log ${dir.path}/error.log; events {} http {
     access_log off; server { listen 127.0.0.1:${port}; root ${dir.path}; gzip on; gzip_types *;
     gzip_min_length 1; add_header Cache-Control max-age=600;
     location /page { add_header Cache-Control max-age=600; add_header Surrogate-Control 'content="ESI/1.0"'; } } }`,
  );
  await Bun.write(join(dir.path, "page"), `<h1>${include("/part")}</h1>`);
  await Bun.write(join(dir.path, "part"), "héllo".repeat(1000));
  const nginx = Bun.spawn(["nginx", "-c", join(dir.path, "nginx.conf"), "-p", dir.path], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  stack.defer(async () => void (nginx.kill(), await nginx.exited));
  await until(() => accepts(port));
  const edge = await edgeOf(port, { ...EXPANDED, cache: {} });
  for (const status of ["fwd=uri-miss", "hit", "hit"]) {
    const answer = await get(edge, "/page", { headers: { Range: "bytes=0-3" } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(`<h1>${"héllo".repeat(1000)}</h1>`);
    expect(answer.headers.get("cache-status")).toContain(status);
  }
});
