/** A page with all that pages have, seen by Chromium through the proxy. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";

import type { Browser } from "playwright-core";

import { CHROMIUM, launch } from "../console/browser.ts";
import { proxying } from "../fake/proxying.ts";

setDefaultTimeout(60_000); // a browser starts, on a machine that may be busy

if (CHROMIUM === undefined) process.stderr.write("SKIPPED: no chromium\n");
const withBrowser = test.skipIf(CHROMIUM === undefined);

const PIXEL = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
const PAGE = `<!doctype html><title>waits</title><link rel=stylesheet href=/a.css>
<img src=/a.gif><script type=module src=/a.js></script>`;
/** What the page has seen by then is its title. */
const SCRIPT = `
const seen = [];
const note = (word) => { seen.push(word); document.title = seen.toSorted().join(" "); };
const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
socket.onopen = () => socket.send("hello");
socket.onmessage = ({ data }) => { note("socket:" + data); socket.close(4000); };
socket.onclose = ({ code }) => note("closed:" + code);
let events = 0;
const source = new EventSource("/events");
source.onmessage = ({ data }) => { if (++events === 3) { source.close(); note("events:" + data); } };
const body = new Blob([new Uint8Array(300_000)]);
const sent = await fetch("/upload", { method: "POST", body });
note("upload:" + await sent.text());
const parts = (await fetch("/bit-by-bit")).body.getReader();
note("first:" + new TextDecoder().decode((await parts.read()).value));
await parts.cancel();
const image = document.images[0];
await image.decode();
note("image:" + image.naturalWidth);
note("colour:" + getComputedStyle(document.body).color);
`;

let browser: Browser | undefined;
let stylesAsked = 0;
const backend = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 60,
  routes: {
    "/": () => new Response(PAGE, { headers: { "Content-Type": "text/html" } }),
    "/a.css": () => {
      stylesAsked++;
      const headers = { "Content-Type": "text/css", "Cache-Control": "max-age=60" };
      return new Response(`body { color: rgb(1, 2, 3) } ${"/* long */".repeat(500)}`, { headers });
    },
    "/a.js": () => new Response(SCRIPT, { headers: { "Content-Type": "text/javascript" } }),
    "/a.gif": () => new Response(PIXEL, { headers: { "Content-Type": "image/gif" } }),
    "/upload": async (request) => new Response(`${(await request.bytes()).length}`),
    "/events": () => said("text/event-stream", (i) => `data: ${i}\n\n`),
    "/bit-by-bit": () => said("text/plain", (i) => `${i}`),
    "/socket": (request, server) => (server.upgrade(request) ? undefined : new Response("no")),
  },
  fetch: () => new Response("none", { status: 404 }),
  websocket: { message: (socket, text) => void socket.send(`${text}, you`) },
});

/** Something every 100 ms, for as long as somebody listens. */
function said(type: string, what: (i: number) => string): Response {
  let i = 0;
  let timer: Timer | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(Buffer.from(what(++i))), 100);
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(stream, { headers: { "Content-Type": type } });
}

beforeAll(async () => {
  if (CHROMIUM !== undefined) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await backend.stop(true);
});

/** Of the certificate that is shown there: base64 of its key's SHA-256. */
async function keyAt(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("base64");
}

withBrowser.each([
  { way: "HTTP/1.1", tls: false, protocol: "http/1.1" },
  { way: "HTTP/1.1 over TLS", tls: true, protocol: "http/1.1" },
  { way: "HTTP/2", tls: true, protocol: "h2" },
  { way: "HTTP/3", tls: true, protocol: "h3" },
])("a page by $way: assets, a socket, events, an upload", async ({ tls, protocol }) => {
  stylesAsked = 0;
  const edge = await proxying([backend.port ?? 0], {
    tls,
    http2: protocol === "h2",
    http3: protocol === "h3",
    compress: { min: 100 },
    cache: {},
    routes: [{ pool: "app", websocket: true }],
  });
  const own =
    protocol === "h3"
      ? await launch({ to: `127.0.0.1:${edge.port}`, key: await keyAt(edge.port) })
      : undefined;
  const used = own ?? browser;
  const context = await used?.newContext({ ignoreHTTPSErrors: true });
  const page = await context?.newPage();
  if (page === undefined) throw new Error("there is a browser");
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  const coded: (string | undefined)[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(".css")) coded.push(response.headers()["content-encoding"]);
  });
  const url = `${tls ? "https" : "http"}://127.0.0.1:${edge.port}/`;
  const all =
    "closed:4000 colour:rgb(1, 2, 3) events:3 first:1 image:1 socket:hello, you upload:300000";
  await page.goto(url);
  await page
    .waitForFunction((want) => document.title === want, all, { timeout: 20_000 })
    .catch(() => {});
  expect([await page.title(), wrong]).toEqual([all, []]);
  expect(
    await page.evaluate(
      () =>
        (performance.getEntriesByType("resource")[0] as PerformanceResourceTiming).nextHopProtocol,
    ),
  ).toBe(protocol);
  const other = await used?.newContext({ ignoreHTTPSErrors: true });
  await (await other?.newPage())?.goto(`${url}a.css`);
  expect(stylesAsked).toBe(1); // the second time it came from the cache
  expect(coded).toContain("br");
  await other?.close();
  await context?.close();
  await own?.close();
  await edge[Symbol.asyncDispose]();
});
