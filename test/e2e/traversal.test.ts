import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";

import fc from "fast-check";

import { H2 } from "./h2-frames.ts";
import { webSite } from "./in-process.ts";
import { dial, responses } from "./wire.ts";

/** Every file of the root says its own path; every file outside says that. */
const INSIDE = [
  "index.html",
  "a.txt",
  "sub/b.txt",
  "sub/deep/c.txt",
  "with space.txt",
  "caf\u00e9.txt",
  "semi;colon.txt",
  "percent%2e.txt",
  "back\\slash.txt",
  "...",
  "..a/d.txt",
  "evil.example/e.txt",
  "\\evil.example/f.txt",
  ".hidden/g.txt",
  ".env",
  ".tern-put-1",
  ".well-known/h.txt",
  "lib/.git/config",
];
const OUTSIDE = ["secret.txt", "www-not/secret.txt", "elsewhere/secret.txt", "etc/passwd"];
const SECRET = "outside the root";

let dir = "";
const listeners: Record<string, Awaited<ReturnType<typeof webSite>>> = {};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tern-tree-"));
  const root = join(dir, "www");
  for (const path of INSIDE) put(join(root, path), `inside:/${path}`);
  for (const path of OUTSIDE) put(join(dir, path), SECRET);
  const links = {
    "out.txt": "../secret.txt",
    "out-absolute.txt": join(dir, "secret.txt"),
    out: "../elsewhere",
    "next-door": "../www-not",
    "out-by-two.txt": "out.txt",
    up: "..",
    slash: "/",
    round: "round",
    "dangling.txt": "../nothing.txt",
    "in.txt": "a.txt",
    "in-absolute.txt": join(root, "a.txt"),
    in: "sub",
    "sub/up-and-in.txt": "../a.txt",
    "to-hidden.txt": ".env",
    "proc.txt": "/proc/self/environ",
    fd: "/proc/self/fd",
  };
  for (const [at, to] of Object.entries(links)) symlinkSync(to, join(root, at));
  Bun.spawnSync(["mkfifo", join(root, "pipe")]);

  const usual = {
    autoindex: true,
    redirects: [{ from: "/old/*", to: "/*" }],
    webdav: { enabled: true },
  };
  listeners["clear"] = await webSite(root, usual);
  listeners["tls"] = await webSite(root, { ...usual, tls: true });
  listeners["strict"] = await webSite(root, { symlinks: "never", dotfiles: "deny" });
});
afterAll(async () => {
  await Promise.all(Object.values(listeners).map((one) => one[Symbol.asyncDispose]()));
  rmSync(dir, { recursive: true });
});

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

/** One GET over each way in, with the target as it is. */
const WAYS: Record<string, (target: string) => Promise<Answer | undefined>> = {
  "HTTP/1": (target) => overH1("clear", target),
  "HTTP/1, asked twice": async (target) => {
    await overH1("clear", target);
    return overH1("clear", target); // the second may be answered by the quick path
  },
  "HTTP/1 over TLS": (target) => overH1("tls", target),
  "HTTP/1, absolute": (target) =>
    target.startsWith("/") ? overH1("clear", `http://a${target}`) : Promise.resolve(undefined),
  "HTTP/2": (target) => overH2("clear", target),
  "HTTP/2 over TLS": (target) => overH2("tls", target),
};

async function overH1(name: string, target: string): Promise<Answer> {
  using wire = await dial(listeners[name]!.port, { tls: name === "tls" });
  wire.say(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, "utf8"));
  expect(await wire.closed()).toBe(true);
  const [only, ...more] = responses(wire.heard);
  expect(more).toEqual([]);
  const location = /\r\nLocation: (.*)/.exec(only!.head)?.[1];
  return { status: only!.status, body: only!.body, location };
}

async function overH2(name: "clear" | "tls", target: string): Promise<Answer> {
  using h2 = await H2.open(listeners[name]!.port, { tls: name === "tls" });
  const path = Buffer.from(target, "utf8").toString("latin1");
  h2.ask(1, [
    [":method", "GET"],
    [":scheme", name === "tls" ? "https" : "http"],
    [":authority", "a"],
    [":path", path],
  ]);
  const end = await h2.end(1);
  if (end === "200")
    await h2.until(() => (h2.data.get(1) ?? "").endsWith(".txt") || !h2.ends.has(1), 50);
  const status = Number(end) || 400; // a reset stream is a refusal
  return { status, body: h2.data.get(1) ?? "", location: undefined };
}

/** What is wrong with an answer, whatever was asked. */
function harm(target: string, { status, body, location }: Answer): string[] {
  const wrong: string[] = [];
  if (status !== 200 && status !== 301 && (status < 400 || status >= 500)) wrong.push(`${status}`);
  if (body.includes(SECRET) || /root:|PATH=/.test(body)) wrong.push(body);
  if (location !== undefined && !/^\/(?![/\\])[!-~]*$/.test(location)) wrong.push(location);
  if (location !== undefined && new URL(location, "http://own.example").host !== "own.example")
    wrong.push(location);
  return wrong.map((what) => `${target}: ${what}`);
}

const UP = ["..", "%2e%2e", "%2E%2E", ".%2e", "%2e."];
const ODD = [
  "%252e%252e",
  "%c0%ae%c0%ae",
  "%c0%2e%c0%2e",
  "%e0%80%ae%e0%80%ae",
  "%u002e%u002e",
  "..;",
  "..;a=b",
  "..%00",
  "..%09",
  "..%20",
  "..\u202e",
  "\uff0e\uff0e",
  "%ef%bc%8e%ef%bc%8e",
  "....",
  "...",
];
const BETWEEN = [
  "/",
  "\\",
  "%5c",
  "%2f",
  "%252f",
  "%c0%af",
  "//",
  "/./",
  "\\/",
  "\u2215",
  "\uff0f",
];
const ENDS = ["secret.txt", "www-not/secret.txt", "etc/passwd"];

describe.each(Object.keys(WAYS))("%s", (way) => {
  test.each([...UP, ...ODD])("no way out by %s", async (up) => {
    const targets = BETWEEN.flatMap((between) => [
      `/${up}${between}${ENDS[0]}`,
      `/sub/${up}${between}${up}${between}${ENDS[1]}`,
      `/sub${between}${up}${between}${up}${between}${ENDS[2]}`,
    ]);
    const wrong = await Promise.all(
      targets.map(async (target) => {
        const got = await WAYS[way]!(target);
        if (got === undefined) return [];
        return got.status < 400 ? [`${target}: ${got.status}`] : harm(target, got);
      }),
    );
    expect(wrong.flat()).toEqual([]);
  });

  test.each([
    // What names a file of the root is that file.
    { target: "/a.txt", is: "/a.txt" },
    { target: "//a.txt", is: "/a.txt" },
    { target: "/./a.txt", is: "/a.txt" },
    { target: "/sub/../a.txt", is: "/a.txt" },
    { target: "/sub/%2e%2e/a.txt", is: "/a.txt" },
    { target: "/sub/deep/../b.txt", is: "/sub/b.txt" },
    { target: "/%61.txt", is: "/a.txt" },
    { target: "/a.txt?/../../secret.txt", is: "/a.txt" },
    { target: "/with%20space.txt", is: "/with space.txt" },
    { target: "/caf%C3%A9.txt", is: "/caf\u00e9.txt" },
    { target: "/semi;colon.txt", is: "/semi;colon.txt" },
    { target: "/percent%252e.txt", is: "/percent%2e.txt" },
    { target: "/back%5Cslash.txt", is: "/back\\slash.txt" },
    { target: "/..a/d.txt", is: 404 }, // a dotfile like any other
    { target: "/.well-known/h.txt", is: "/.well-known/h.txt" },
    // Links.
    { target: "/in.txt", is: "/a.txt" },
    { target: "/in-absolute.txt", is: "/a.txt" },
    { target: "/in/b.txt", is: "/sub/b.txt" },
    { target: "/sub/up-and-in.txt", is: "/a.txt" },
    { target: "/out.txt", is: 403 },
    { target: "/out-absolute.txt", is: 403 },
    { target: "/out-by-two.txt", is: 403 },
    { target: "/out/secret.txt", is: 403 },
    { target: "/out/", is: 404 },
    { target: "/next-door/secret.txt", is: 403 },
    { target: "/up/secret.txt", is: 403 },
    { target: "/up/www/a.txt", is: "/a.txt" }, // leads beneath the root again
    { target: "/slash/etc/passwd", is: 403 },
    { target: "/round", is: 404 },
    { target: "/dangling.txt", is: 404 },
    { target: "/proc.txt", is: 403 },
    { target: "/fd/0", is: "4xx" },
    // What is hidden.
    { target: "/.env", is: 404 },
    { target: "/%2eenv", is: 404 },
    { target: "/sub/../.env", is: 404 },
    { target: "/.hidden/g.txt", is: 404 },
    { target: "/lib/.git/config", is: 404 },
    { target: "/lib/%2egit/config", is: 404 },
    { target: "/.tern-put-1", is: 404 },
    { target: "/...", is: 404 },
    { target: "/.env/", is: 404 },
    { target: "/.env%00.txt", is: "4xx" },
    { target: "/a.txt%00", is: "4xx" },
    { target: "/a.txt%00.html", is: "4xx" },
    { target: "/a.txt/", is: 404 },
    { target: "/a.txt/..", is: "4xx or listing" },
    { target: "/a.txt/b", is: 404 },
    { target: "/a.txt.", is: 404 },
    { target: "/A.TXT", is: 404 },
    { target: "/a.txt%20", is: 404 },
    { target: "/a.txt::$DATA", is: 404 },
    { target: "/pipe", is: 404 }, // and the server does not wait for a writer
    // What is no target.
    { target: "/%", is: "4xx" },
    { target: "/%2", is: "4xx" },
    { target: "/%zz", is: "4xx" },
    { target: "/%ff", is: "4xx" },
    { target: "/a%0d%0aSet-Cookie:%20x", is: "4xx" },
    { target: "/sub%2fb.txt", is: "4xx" },
    { target: `/${"a".repeat(300)}`, is: 404 },
    { target: `/${"a/".repeat(5000)}`, is: 404 },
    { target: `/${"../".repeat(5000)}etc/passwd`, is: "4xx" },
    { target: `${"/sub/..".repeat(2000)}/a.txt`, is: "/a.txt" },
    { target: `/${"%2e%2e/".repeat(2000)}etc/passwd`, is: "4xx" },
    { target: `/${"a".repeat(60_000)}`, is: "4xx" },
  ] as const)(
    "$target is $is",
    async ({ target, is }) => {
      const got = await WAYS[way]!(target);
      if (got === undefined) return;
      expect(harm(target, got)).toEqual([]);
      if (typeof is === "number") expect(got.status).toBe(is);
      else if (is.startsWith("/"))
        expect(got).toMatchObject({
          status: 200,
          body: Buffer.from(`inside:${is}`).toString("latin1"),
        });
      else if (is === "4xx") expect(got.status).toBeGreaterThanOrEqual(400);
    },
    10_000,
  );
});

describe("a redirect stays at home", () => {
  test.each([
    { target: "/sub", location: "/sub/" },
    { target: "//sub", location: "/sub/" },
    { target: "//evil.example", location: "/evil.example/" },
    { target: "///evil.example", location: "/evil.example/" },
    { target: "/.//evil.example", location: "/evil.example/" },
    { target: "/sub/..//evil.example", location: "/evil.example/" },
    { target: "//evil.example?//x", location: "/evil.example/?//x" },
    { target: "/%5Cevil.example", location: "/%5Cevil.example/" },
    { target: "/\\evil.example", location: "/%5Cevil.example/" },
    { target: "http://evil.example/sub", location: "/sub/" },
    { target: "http://evil.example//sub", location: "/sub/" },
    { target: "/old//evil.example/x", location: "/evil.example/x" },
    { target: "/old/%5C%5Cevil.example/x", location: "/%5C%5Cevil.example/x" },
    { target: "/old/http://evil.example/x", location: "/http%3A/evil.example/x" },
  ])("$target", async ({ target, location }) => {
    const got = await overH1("clear", target);
    expect(harm(target, got)).toEqual([]);
    expect(got).toMatchObject({ status: 301, location });
  });
});

describe("stricter", () => {
  test.each([
    { target: "/a.txt", status: 200 },
    { target: "/in.txt", status: 403 },
    { target: "/in/b.txt", status: 403 },
    { target: "/in-absolute.txt", status: 403 },
    { target: "/up/www/a.txt", status: 403 },
    { target: "/out.txt", status: 403 },
    { target: "/.env", status: 403 },
    { target: "/.nothing", status: 403 },
    { target: "/.tern-put-1", status: 404 },
  ])("$target is $status", async ({ target, status }) => {
    const got = await overH1("strict", target);
    expect(harm(target, got)).toEqual([]);
    expect(got.status).toBe(status);
  });
});

test("a listing shows nothing that would not be sent", async () => {
  const { body } = await overH1("clear", "/sub/..?format=json");
  for (const name of [
    "secret",
    ".env",
    ".git",
    ".tern",
    "out.txt",
    "next-door",
    "proc.txt",
    "dangling",
    "pipe",
  ])
    expect(body).not.toContain(name);
  expect(body).toContain("inside:/index.html"); // there is an index, which comes first
  const deep = await overH1("clear", "/lib/");
  expect(deep.body).not.toContain(".git");
});

describe("WebDAV writes nothing outside", () => {
  const all = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((one) => {
      if (one.name === "www") return [];
      return one.isDirectory() ? all(join(at, one.name)) : [join(at, one.name)];
    });

  test.each([
    { story: "PUT up", method: "PUT", target: "/../put.txt" },
    { story: "PUT up, encoded", method: "PUT", target: "/%2e%2e/put.txt" },
    { story: "PUT up, with backslashes", method: "PUT", target: "/..%5c..%5cput.txt" },
    { story: "PUT through a link", method: "PUT", target: "/out/put.txt" },
    { story: "PUT through a dangling link", method: "PUT", target: "/dangling.txt" },
    { story: "PUT over a link", method: "PUT", target: "/out.txt" },
    { story: "PUT over its own", method: "PUT", target: "/.tern-put-1" },
    { story: "MKCOL up", method: "MKCOL", target: "/../made" },
    { story: "MKCOL through a link", method: "MKCOL", target: "/up/made" },
    { story: "DELETE up", method: "DELETE", target: "/../secret.txt" },
    { story: "DELETE through a link", method: "DELETE", target: "/out/secret.txt" },
    { story: "DELETE the root", method: "DELETE", target: "/" },
    { story: "MOVE to up", method: "MOVE", target: "/a.txt", to: "http://a/../moved.txt" },
    {
      story: "MOVE to up, encoded",
      method: "MOVE",
      target: "/a.txt",
      to: "http://a/%2e%2e/moved.txt",
    },
    { story: "MOVE to up, as a path", method: "MOVE", target: "/a.txt", to: "/../moved.txt" },
    {
      story: "MOVE through a link",
      method: "MOVE",
      target: "/a.txt",
      to: "http://a/out/moved.txt",
    },
    { story: "MOVE to another host", method: "MOVE", target: "/a.txt", to: "http://b/moved.txt" },
    {
      story: "MOVE from outside",
      method: "MOVE",
      target: "/out/secret.txt",
      to: "http://a/got.txt",
    },
    {
      story: "COPY from outside",
      method: "COPY",
      target: "/out/secret.txt",
      to: "http://a/got.txt",
    },
    { story: "COPY a link to outside", method: "COPY", target: "/out.txt", to: "http://a/got.txt" },
    { story: "COPY to up", method: "COPY", target: "/a.txt", to: "http://a/..;/copied.txt" },
    { story: "COPY over a link", method: "COPY", target: "/a.txt", to: "http://a/out.txt" },
    { story: "PROPFIND up", method: "PROPFIND", target: "/.." },
    { story: "PROPFIND through a link", method: "PROPFIND", target: "/out/" },
    { story: "LOCK up", method: "LOCK", target: "/../locked.txt" },
  ])("$story", async ({ method, target, to }) => {
    const before = all(dir);
    using wire = await dial(listeners["clear"]!.port);
    const destination = to === undefined ? "" : `Destination: ${to}\r\n`;
    const body = method === "PUT" ? "new" : "";
    wire.say(
      `${method} ${target} HTTP/1.1\r\nHost: a\r\nDepth: 0\r\nConnection: close\r\n${destination}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await wire.closed()).toBe(true);
    const status = Number(wire.heard.slice(9, 12));
    expect(wire.heard).not.toContain(SECRET);
    expect(all(dir)).toEqual(before);
    for (const path of OUTSIDE) expect(await Bun.file(join(dir, path)).text()).toBe(SECRET);
    expect(
      status === 502 || (status >= 400 && status < 500) || (status < 300 && to?.includes("..;")),
    ).toBe(true);
    const copied = await overH1("clear", "/got.txt");
    expect(copied.body).not.toContain(SECRET);
  });
});

test("whatever is asked: the file of that name, a refusal, or a redirect at home", async () => {
  const piece = fc.constantFrom(
    ...UP,
    ...ODD,
    ".",
    "",
    "a.txt",
    "sub",
    "deep",
    "b.txt",
    "c.txt",
    "in",
    "in.txt",
    "out",
    "out.txt",
    "up",
    "www",
    "slash",
    ".env",
    ".git",
    "lib",
    "evil.example",
    "secret.txt",
    "index.html",
    "%20",
    "%0a",
    ";",
    "semi;colon.txt",
  );
  const between = fc.constantFrom("/", "/", "/", "/", ...BETWEEN);
  const target = fc
    .array(fc.tuple(piece, between), { minLength: 1, maxLength: 8 })
    .map((parts) => `/${parts.map(([name, then]) => name + then).join("")}`)
    .map((text) => text.replace(/\/$/, ""));
  await fc.assert(
    fc.asyncProperty(target, async (text) => {
      const got = await overH1("clear", text === "" ? "/" : text);
      expect(harm(text, got)).toEqual([]);
      const said = /^inside:(.*)/.exec(got.body)?.[1];
      if (got.status === 200 && said !== undefined)
        expect([text, said]).toEqual([text, fileFor(text)]);
    }),
    { numRuns: 400 },
  );
}, 15_000);

/** What a plain reader of the target would open, by the links above. */
function fileFor(target: string): string {
  const path = posix.normalize(decodeURIComponent(target)).replace(/^\/+/, "/");
  const inside =
    path.replace(/^(\/up\/www|\/in(?=\/))+/, (link) => (link.endsWith("in") ? "/sub" : "")) || "/";
  const file = inside === "/in.txt" || inside === "/sub/up-and-in.txt" ? "/a.txt" : inside;
  return file.endsWith("/") ? `${file}index.html` : file;
}
