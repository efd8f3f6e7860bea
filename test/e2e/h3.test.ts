import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { said } from "./binary.ts";
import { BIG, type Secure, secure } from "./secure.ts";

let site: Secure;
beforeAll(async () => {
  site = await secure("http3: true");
});
afterAll(() => site[Symbol.asyncDispose]());

/** By Bun's own client, told to speak nothing else; it checks no CA of ours over HTTP/3. */
const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`https://127.0.0.1:${site.port}${path}`, {
    ...init,
    protocol: "http3",
    tls: { rejectUnauthorized: false },
  } as RequestInit);

describe("fetch over HTTP/3", () => {
  test.each([
    { story: "a small file", path: "/hello.txt", headers: {}, status: 200, bytes: 5 },
    { story: "a large one", path: "/big.bin", headers: {}, status: 200, bytes: BIG },
    {
      story: "a part",
      path: "/big.bin",
      headers: { Range: "bytes=10-19" },
      status: 206,
      bytes: 10,
    },
    {
      story: "already known",
      path: "/hello.txt",
      headers: { "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT" },
      status: 304,
      bytes: 0,
    },
  ])("$story: $path", async ({ path, headers, status, bytes }) => {
    const answer = await get(path, { headers });
    expect([answer.status, (await answer.bytes()).length]).toEqual([status, bytes]);
  });

  test("not there", async () => {
    expect((await get("/nothing")).status).toBe(404);
  });
});

test("the other versions say that it is there", async () => {
  for (const version of ["--http1.1", "--http2"]) {
    const { out } = await said([
      "curl",
      "-sS",
      version,
      "-I",
      "--cacert",
      site.ca,
      `${site.url}/hello.txt`,
    ]);
    expect(out.toLowerCase()).toContain(`alt-svc: h3=":${site.port}"`);
  }
});

test.skipIf(!Bun.which("gtlsclient"))("ngtcp2's client gets whole files", async () => {
  const download = `${site.tern.dir}/got`;
  await Bun.$`mkdir ${download}`;
  const { code } = await said([
    "gtlsclient",
    "-q",
    "--exit-on-all-streams-close",
    `--download=${download}`,
    "127.0.0.1",
    `${site.port}`,
    `${site.url}/hello.txt`,
    `${site.url}/big.bin`,
  ]);
  expect(code).toBe(0);
  expect(await Bun.file(`${download}/hello.txt`).text()).toBe("hello");
  expect(await Bun.file(`${download}/big.bin`).bytes()).toEqual(new Uint8Array(BIG).fill(7));
});
