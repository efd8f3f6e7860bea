import { describe, expect, test } from "bun:test";

import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said, served, TERN } from "./binary.ts";

test("version says which it is", async () => {
  const { out, code } = await said([TERN, "version"]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^tern \d+\.\d+\.\d+/)]);
});

test("every verb has help with an example", async () => {
  const { out } = await said([TERN, "--help"]);
  const verbs = [
    "run",
    "check",
    "reload",
    "status",
    "stop",
    "upgrade",
    "schema",
    "hash-password",
    "import",
    "web",
    "version",
  ];
  expect(verbs.filter((verb) => !out.includes(verb))).toEqual([]);
  const helps = await Promise.all(verbs.map((verb) => said([TERN, verb, "--help"])));
  expect(verbs.filter((_, i) => !/example/i.test(helps[i]?.out ?? ""))).toEqual([]);
}, 60_000);

describe("check", () => {
  test.each([
    { story: "a good config", config: "web: { site: { root: ./www } }\n", code: 0, says: [] },
    {
      story: "an unknown key",
      config: "web:\n  site:\n    rot: ./www\n",
      code: 1,
      says: ["tern.yaml:3:5", "rot", 'did you mean "root"'],
    },
    {
      story: "a section of a later version",
      config: "stack: {}\n",
      code: 1,
      says: ["tern.yaml:1:1", "not available in this version"],
    },
  ])("$story exits with $code", async ({ config, code, says }) => {
    await using dir = await temporary();
    await Bun.write(`${dir.path}/tern.yaml`, config);
    await Bun.write(`${dir.path}/www/index.html`, "hello");
    const checked = await said([TERN, "check", "-c", "tern.yaml"], { cwd: dir.path });
    expect(checked).toMatchObject({ code });
    for (const word of says) expect(checked.out + checked.err).toContain(word);
  });
});

test("stray files in its working directory mean nothing to it", async () => {
  await using dir = await temporary();
  await Bun.write(`${dir.path}/bunfig.toml`, 'preload = ["./nowhere.ts"]\n');
  await Bun.write(`${dir.path}/.env`, "TERN_STRAY=yes\n");
  await Bun.write(
    `${dir.path}/tern.yaml`,
    'admin: { users: [{ name: kim, password: "env:TERN_STRAY" }] }\n',
  );
  expect(await said([TERN, "version"], { cwd: dir.path })).toMatchObject({ code: 0 });
  expect(await said([TERN, "check", "-c", "tern.yaml"], { cwd: dir.path })).toMatchObject({
    code: 1,
  });
});

test("serves a file, and ends with 0 when told to", async () => {
  const [port, admin] = await Promise.all([freePort(), freePort()]);
  await using tern = await served(config(port, admin), [port], site);
  const answer = await fetch(`http://127.0.0.1:${port}/hello.txt`);
  expect([answer.status, await answer.text()]).toEqual([200, "hello"]);
  expect(await tern.stop()).toBe(0);
});

/**
 * Split into chunks, the executable passed every test with single requests and died in the first
 * millisecond of load, when the JIT compiled the calls into libc.
 */
test("lives through load, before and after it has settled", async () => {
  if (!Bun.which("wrk")) return void process.stderr.write("SKIPPED load on the binary: no wrk\n");
  const [port, admin] = await Promise.all([freePort(), freePort()]);
  await using tern = await served(config(port, admin), [port], site);
  for (const pause of [0, 2500]) {
    await Bun.sleep(pause);
    const url = `http://127.0.0.1:${port}/hello.txt`;
    const { out } = await said(["wrk", "-t1", "-c32", "-d1s", url]);
    expect(out).toMatch(/\b[1-9]\d{2,} requests in/);
    expect(out).not.toMatch(/Socket errors|Non-2xx/);
  }
  expect(await tern.stop()).toBe(0);
});

const config = (port: number, admin: number): string => `
workers: 1
admin: { listen: 127.0.0.1:${admin} }
web: { site: { listen: ["127.0.0.1:${port}"], root: ./www } }
`;
const site = async (dir: string): Promise<void> =>
  void (await Bun.write(`${dir}/www/hello.txt`, "hello"));
