/** What the operator sees of a proxy: metrics and the access log, route by route. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { appliance, siteIn, until } from "./from-source.ts";

setDefaultTimeout(60_000); // a whole program starts and ends, on a machine that may be busy

test.each([{ workers: 1 }, { workers: 2 }])(
  "each route counts its own, the log says who answered ($workers worker(s))",
  async ({ workers }) => {
    using backend = serving();
    const [port, dead] = [await freePort(), await freePort()];
    await using tern = await appliance((dir) =>
      siteIn(
        dir,
        {},
        {
          workers,
          web: undefined,
          access_log: { file: join(dir, "access.log"), format: "json" },
          pools: {
            app: { hosts: [{ address: `127.0.0.1:${backend.port}`, name: "one" }] },
            gone: { hosts: [`127.0.0.1:${dead}`] },
            both: {
              hosts: [`127.0.0.1:${dead}`, { address: `127.0.0.1:${backend.port}`, backup: true }],
            },
          },
          proxy: {
            edge: {
              listen: `127.0.0.1:${port}`,
              routes: [
                { path: "/a/", pool: "app" },
                { path: "/gone/", pool: "gone" },
                { path: "/both/", pool: "both" },
              ],
            },
          },
        },
      ),
    );
    const get = async (path: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { keepalive: false });
      await answer.arrayBuffer();
      return answer.status;
    };
    const asked = ["/a/ok", "/a/ok", "/a/404", "/a/500", "/gone/", "/both/", "/nowhere"];
    const said: number[] = [];
    for (const path of asked) said.push(await get(path));
    expect(said).toEqual([200, 200, 404, 500, 502, 200, 404]);

    const metrics = async (): Promise<string> => {
      const unix = join(tern.dir, "var", "tern.sock");
      return (await fetch("http://tern/metrics", { unix })).text();
    };
    const value = (text: string, name: string, route: string, more = ""): number => {
      const line = text
        .split("\n")
        .find(
          (one) =>
            one.startsWith(`${name}{`) && one.includes(`route="${route}"`) && one.includes(more),
        );
      return Number(line?.split(" ").at(-1) ?? NaN);
    };
    const answers = "tern_proxy_answers_total";
    await until(async () => value(await metrics(), answers, "*/both/", 'code="2xx"') === 1);
    const text = await metrics();
    expect(value(text, answers, "*/a/", 'code="2xx"')).toBe(2);
    expect(value(text, answers, "*/a/", 'code="4xx"')).toBe(1);
    expect(value(text, answers, "*/a/", 'code="5xx"')).toBe(1);
    expect(value(text, "tern_proxy_failures_total", "*/gone/", 'code="502"')).toBe(1);
    expect(value(text, "tern_proxy_failures_total", "*/a/", 'code="502"')).toBe(0);
    expect(value(text, "tern_proxy_retries_total", "*/both/")).toBe(1);
    expect(value(text, "tern_proxy_answer_seconds_count", "*/a/")).toBe(4);
    expect(value(text, "tern_proxy_connect_seconds_count", "*/both/")).toBe(1);

    const lines = (): Record<string, unknown>[] =>
      readFileSync(join(tern.dir, "access.log"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await until(() => lines().length === asked.length);
    const who = (target: string): unknown[] => {
      const line = lines().find((one) => one["target"] === target) ?? {};
      return [line["status"], line["upstream"], typeof line["upstream_ms"]];
    };
    expect(who("/a/404")).toEqual([404, "one", "number"]);
    expect(who("/gone/")).toEqual([502, undefined, "undefined"]);
    expect(who("/both/")).toEqual([200, `127.0.0.1:${backend.port}`, "number"]);
    expect(who("/nowhere")).toEqual([404, undefined, "undefined"]);
  },
);

function serving(): { readonly port: number } & Disposable {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => {
      const status = Number(new URL(url).pathname.split("/").at(-1)) || 200;
      return new Response("x", { status });
    },
  });
  return { port: server.port ?? 0, [Symbol.dispose]: () => void server.stop(true) };
}
