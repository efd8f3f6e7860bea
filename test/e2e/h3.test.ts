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

test.skipIf(!Bun.which("gtlsclient"))(
  "a client that moves to another port keeps its connection",
  async () => {
    const size = 40_000_000;
    await Bun.write(`${site.tern.dir}/www/move.bin`, new Uint8Array(size).fill(7));
    const moving = ["-q", "--exit-on-all-streams-close", "--change-local-addr=50ms"];
    const to = `--download=${site.tern.dir}`;
    await said(["gtlsclient", ...moving, to, "127.0.0.1", `${site.port}`, `${site.url}/move.bin`]);
    expect(Bun.file(`${site.tern.dir}/move.bin`).size).toBe(size);
  },
);

describe.skipIf(!Bun.which("gtlsclient"))("nothing is lost", () => {
  const HUGE = 30_000_000;

  test.each([
    { story: "an upgrade", workers: 1, next: undefined },
    { story: "an upgrade of several workers", workers: 2, next: undefined },
    { story: "fewer workers", workers: 3, next: 1 },
    { story: "more workers", workers: 1, next: 2 },
  ])(
    "by $story",
    async ({ workers, next }) => {
      await using many = await secure("http3: true", "", workers);
      const { tern, url, port } = many;
      await Bun.write(`${tern.dir}/www/huge.bin`, new Uint8Array(HUGE).fill(7));
      const wrong: string[] = [];
      let fetched = 0;
      let over = false;
      const download = async (file: string, size: number): Promise<void> => {
        const to = `${tern.dir}/got/${fetched++}`;
        await Bun.$`mkdir -p ${to}`;
        const quiet = ["-q", "--exit-on-all-streams-close", `--download=${to}`];
        const { err } = await said([
          "gtlsclient",
          ...quiet,
          "127.0.0.1",
          `${port}`,
          `${url}/${file}`,
        ]);
        const got = Bun.file(`${to}/${file}`);
        if (!(await got.exists()) || got.size !== size) wrong.push(`${file} ${got.size} ${err}`);
      };
      // Connections that begin all the time, one with a body under way all the time, and one that stays.
      const short = async (): Promise<void> => {
        while (!over) await download("hello.txt", "hello".length);
      };
      const long = async (): Promise<void> => {
        while (!over) await download("huge.bin", HUGE);
      };
      const kept = async (): Promise<void> => {
        while (!over) {
          const init = { protocol: "http3", tls: { rejectUnauthorized: false } } as RequestInit;
          const answer = await fetch(`https://127.0.0.1:${port}/hello.txt`, init);
          if ((await answer.text()) !== "hello") wrong.push(`kept ${answer.status}`);
          await Bun.sleep(3);
        }
      };
      const clients = [short(), short(), long(), kept()];
      await Bun.sleep(700);
      if (next === undefined) expect(await tern.verb("upgrade")).toMatchObject({ code: 0 });
      else {
        const file = Bun.file(`${tern.dir}/tern.yaml`);
        await file.write((await file.text()).replace(/workers: \d+/, `workers: ${next}`));
        expect(await tern.verb("reload")).toMatchObject({ code: 0 });
      }
      await Bun.sleep(1500);
      over = true;
      await Promise.all(clients);
      await tern.verb("stop"); // after an upgrade it is another process
      expect(wrong).toEqual([]);
      expect(fetched).toBeGreaterThan(10);
    },
    60_000,
  );
});
