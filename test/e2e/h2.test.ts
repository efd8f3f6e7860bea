import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { said } from "./binary.ts";
import { BIG, type Secure, secure } from "./secure.ts";

let site: Secure;
beforeAll(async () => {
  site = await secure();
});
afterAll(() => site[Symbol.asyncDispose]());

const curl = async (path: string, ...args: string[]): Promise<string> => {
  const format = "%{http_version} %{http_code} %{size_download}";
  const { out, err } = await said([
    "curl",
    "-sS",
    "--http2",
    "--cacert",
    site.ca,
    "-o",
    "/dev/null",
    "-w",
    format,
    ...args,
    `${site.url}${path}`,
  ]);
  return out + err;
};

describe.skipIf(!Bun.which("curl"))("curl over HTTP/2", () => {
  test.each([
    { story: "a small file", path: "/hello.txt", args: [], says: "2 200 5" },
    { story: "a large one", path: "/big.bin", args: [], says: `2 200 ${BIG}` },
    { story: "a part", path: "/big.bin", args: ["-r", "10-19"], says: "2 206 10" },
    { story: "only its head", path: "/big.bin", args: ["-I"], says: "2 200 0" },
    { story: "not there", path: "/nothing", args: [], says: /^2 404 / },
    {
      story: "already known",
      path: "/hello.txt",
      args: ["-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"],
      says: "2 304 0",
    },
    {
      story: "no way out of the root",
      path: "/%2e%2e/%2e%2e/tern.yaml",
      args: ["--path-as-is"],
      says: /^2 40[04] /,
    },
  ])("$story: $path", async ({ path, args, says }) => {
    expect(await curl(path, ...args)).toMatch(says);
  });
});

test.skipIf(!Bun.which("nghttp"))("nghttp gets many streams of one connection", async () => {
  const urls = Array.from({ length: 20 }, (_, i) => `${site.url}/big.bin?${i}`);
  const { out, code } = await said(["nghttp", "-n", "-s", "-y", ...urls]);
  expect(code).toBe(0);
  expect(out.match(/ 200 +\d+K? \/big\.bin\?/g)).toHaveLength(20);
});

test.skipIf(!Bun.which("h2load"))("h2load's requests all succeed", async () => {
  const { out } = await said([
    "h2load",
    "-n",
    "500",
    "-c",
    "4",
    "-m",
    "20",
    `${site.url}/hello.txt`,
  ]);
  expect(out).toContain(
    "500 total, 500 started, 500 done, 500 succeeded, 0 failed, 0 errored, 0 timeout",
  );
});
