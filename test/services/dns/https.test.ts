import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { Fronts } from "../../../src/net/fronts/fronts.ts";
import { placeholder } from "../../../src/net/tls/self-signed.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/dns/message.ts";
import { parseName } from "../../../src/wire/dns/name.ts";
import { CLASS, RCODE, TYPE } from "../../../src/wire/dns/types.ts";
import { respond } from "../../../src/wire/http/message.ts";
import { realFronts, serving as site } from "../../fake/fronts.ts";
import { freePort } from "../../fake/ports.ts";
import { needs } from "../../sys/needs.ts";
import { kdig, type Serving, serving } from "./serving.ts";

const withKdig = needs(Bun.which("kdig") !== null, "kdig (knot-dnsutils)");
const certificate = await placeholder("ns.example.net", Date.now());

let server: Serving;
let fronts: Fronts;
let port: number;
let base: string;
beforeAll(async () => {
  fronts = realFronts(certificate);
  port = await freePort();
  server = await serving({ https: { listen: `127.0.0.1:${port}`, tls: true } }, undefined, {
    http: fronts,
  });
  base = `https://127.0.0.1:${port}/dns-query`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await fronts.drain(AbortSignal.timeout(100));
});

const TYPE_DNS = "application/dns-message";
const tls = { rejectUnauthorized: false };

function question(name: string, type: number = TYPE.A, flags = 0): Uint8Array<ArrayBuffer> {
  const questions = [{ name: parseName(name) as Uint8Array, type, class: CLASS.IN }];
  const empty = { answers: [], authorities: [], additionals: [] };
  return new Uint8Array(
    encodeMessage({ id: 0, flags, opcode: 0, rcode: 0, questions, ...empty }) as Uint8Array,
  );
}
const get = (bytes: Uint8Array): Promise<Response> =>
  fetch(`${base}?dns=${Buffer.from(bytes).toString("base64url")}`, { tls });
const post = (bytes: Uint8Array<ArrayBuffer>, type = TYPE_DNS): Promise<Response> =>
  fetch(base, { method: "POST", body: bytes, headers: { "Content-Type": type }, tls });

describe("a question and its answer", () => {
  test.each([
    { story: "GET", ask: get },
    { story: "POST", ask: post },
  ])("$story", async ({ ask }) => {
    const response = await ask(question("www.example.net."));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, TYPE_DNS]);
    const answer = decodeMessage(new Uint8Array(await response.arrayBuffer()));
    expect(answer?.answers.length).toBe(2);
  });

  test.each([
    { story: "the lowest TTL", name: "www.example.net.", keeps: "max-age=300" },
    { story: "of no such name, the SOA's", name: "no.example.net.", keeps: "max-age=300" },
    { story: "of what is not ours, nothing", name: "example.com.", keeps: "no-store" },
  ])("may be kept: $story", async ({ name, keeps }) => {
    expect((await get(question(name))).headers.get("cache-control")).toBe(keeps);
  });

  test("large ones too", async () => {
    const response = await get(question("many.example.net.", TYPE.TXT));
    const answer = decodeMessage(new Uint8Array(await response.arrayBuffer()));
    expect([answer?.rcode, answer?.answers.length]).toEqual([RCODE.NOERROR, 1]);
  });

  test("HEAD says what GET would", async () => {
    const dns = Buffer.from(question("www.example.net.")).toString("base64url");
    const response = await fetch(`${base}?dns=${dns}`, { method: "HEAD", tls });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, TYPE_DNS]);
  });
});

describe("what is refused", () => {
  test.each<{ story: string; ask: () => Promise<Response>; status: number }>([
    { story: "no question", ask: () => fetch(base, { tls }), status: 400 },
    { story: "no base64url", ask: () => fetch(`${base}?dns=a+b`, { tls }), status: 400 },
    { story: "half a byte", ask: () => fetch(`${base}?dns=AAAAA`, { tls }), status: 400 },
    { story: "too short", ask: () => get(new Uint8Array(5)), status: 400 },
    {
      story: "an answer",
      ask: () => get(question("www.example.net.", TYPE.A, 0x8000)),
      status: 400,
    },
    { story: "a transfer", ask: () => get(question("example.net.", TYPE.AXFR)), status: 200 },
    { story: "text", ask: () => post(question("www.example.net."), "text/plain"), status: 415 },
    { story: "too much", ask: () => post(new Uint8Array(70_000)), status: 413 },
    { story: "PUT", ask: () => fetch(base, { method: "PUT", body: "x", tls }), status: 405 },
    { story: "another path", ask: () => fetch(`${base}/x`, { tls }), status: 404 },
  ])("$story: $status", async ({ ask, status }) => {
    expect((await ask()).status).toBe(status);
  });

  test("a transfer is answered REFUSED", async () => {
    const response = await get(question("example.net.", TYPE.AXFR));
    expect(decodeMessage(new Uint8Array(await response.arrayBuffer()))?.rcode).toBe(RCODE.REFUSED);
  });
});

describe("another's client", () => {
  withKdig("kdig by POST, padded", async () => {
    const text = await kdig(port, "+https", "+padding=128", "www.example.net", "A");
    expect(text).toContain("192.0.2.10");
    expect(text).toMatch(/PADDING: \d+ B/);
    expect(text).toMatch(/Received 468 B/);
  });
  withKdig("kdig by GET", async () => {
    expect(await kdig(port, "+https-get", "www.example.net", "A")).toContain("192.0.2.10");
  });
});

test("on the address of a web site it takes its path, and the site keeps the rest", async () => {
  const shared = realFronts();
  const web = await site(shared, { handler: (r) => respond(200, [], `web ${r.path}`) });
  // The same listener is asked for by the address it was made for.
  await using own = await serving(
    { https: { listen: "127.0.0.1:0", tls: false, path: "/resolve" } },
    undefined,
    { http: shared },
  );
  const dns = Buffer.from(question("www.example.net.")).toString("base64url");
  const at = `http://127.0.0.1:${web.port}`;
  expect(await (await fetch(`${at}/`)).text()).toBe("web /");
  expect(await (await fetch(`${at}/resolves`)).text()).toBe("web /resolves");
  const answer = await fetch(`${at}/resolve?dns=${dns}`);
  expect(answer.headers.get("content-type")).toBe(TYPE_DNS);
  await own.instance.stop(AbortSignal.timeout(500));
  expect(await (await fetch(`${at}/resolve?dns=${dns}`)).text()).toBe("web /resolve");
  await web.close();
});
