/**
 * The public tests of HTTP caches (github.com/http-tests/cache-tests), from a checkout of them whose
 * dependencies are installed: what they find of tern, beside what they have found of others.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { accepts, freePort } from "../fake/ports.ts";
import { type RowReport, show, sides } from "./compare.ts";
import { start } from "./server.ts";
import { build, type Options } from "./web.ts";

/** Whose results are in the checkout. */
const OTHERS = ["nginx", "varnish", "trafficserver", "squid", "apache", "caddy"];
const KINDS = ["required", "optimal"] as const;
/** All of them take one minute on a machine that has nothing else to do. */
const MOST_MS = 600_000;

interface Test {
  readonly id: string;
  readonly kind?: string;
  readonly browser_only?: boolean;
}
type Suites = readonly { readonly tests: readonly Test[] }[];
/** By the test's id: true, or what was wrong. */
type Results = Readonly<Record<string, unknown>>;
/** Its third part is a sign for people. */
type Judge = (suites: Suites, id: string, results: Results) => readonly string[];

export async function cacheTests(options: Options): Promise<RowReport[]> {
  const { checkout, say } = options;
  if (checkout === undefined || !existsSync(join(checkout, "test-engine/cli.mjs"))) {
    say("npm run bench -- cache-tests PATH-TO-A-CHECKOUT-OF-cache-tests\n");
    return [];
  }
  const suites = (await import(join(checkout, "tests/index.mjs"))).default as Suites;
  const { determineTestResult: judge } = (await import(
    join(checkout, "test-engine/lib/results.mjs")
  )) as { determineTestResult: Judge };
  const ours = await run(checkout, options.tern ?? (await build()));
  const all = new Map([["tern", ours]]);
  for (const name of OTHERS) {
    const file = Bun.file(join(checkout, "results", `${name}.json`));
    if (await file.exists()) all.set(name, (await file.json()) as Results);
  }
  const reports = KINDS.map((kind) => compared(kind, suites, judge, all));
  say(show(reports));
  for (const kind of KINDS)
    for (const { id } of of(kind, suites))
      if (!passes(judge(suites, id, ours))) say(`${kind}: ${id}: ${whyNot(ours[id])}\n`);
  return reports;
}

/** Their client, through tern, to their server. */
async function run(checkout: string, binary: string): Promise<Results> {
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  const port = await freePort();
  const env = {
    ...process.env,
    npm_config_protocol: "http",
    npm_config_port: String(port),
    npm_config_pidfile: join(dir, "pid"),
    npm_package_config_id: "",
  };
  const behind = Bun.spawn(["node", "test-engine/server/server.mjs"], {
    cwd: checkout,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    while (!(await accepts(port))) await Bun.sleep(20);
    const ports = { http: await freePort(), https: 0 };
    await Bun.write(
      `${dir}/tern.yaml`,
      `
workers: 1
user: root
state: ./state
log: { level: warn, format: text, file: "-" }
admin: { listen: [], socket: ./tern.sock }
pools:
  tests: { hosts: ["127.0.0.1:${port}"] }
proxy:
  tests:
    listen: "127.0.0.1:${ports.http}"
    routes: [{ pool: tests }]
    cache: { client_control: true } # they ask as clients that may
`,
    );
    await using tern = await start(
      "tern",
      [...binary.split(" "), "run", "-c", `${dir}/tern.yaml`],
      ports,
    );
    const client = Bun.spawn(["node", "--no-warnings", "test-engine/cli.mjs"], {
      cwd: checkout,
      env: { ...env, npm_config_base: `http://127.0.0.1:${tern.http}` },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: MOST_MS,
    });
    const out = await new Response(client.stdout).text();
    return JSON.parse(out.slice(out.indexOf("{"))) as Results;
  } finally {
    behind.kill();
    await behind.exited;
    await rm(dir, { recursive: true, force: true });
  }
}

function of(kind: string, suites: Suites): Test[] {
  return suites
    .flatMap(({ tests }) => tests)
    .filter((test) => (test.kind ?? "required") === kind && test.browser_only !== true);
}

/** One that passes does not count when another one does not. */
function whyNot(result: unknown): string {
  return result === true ? "another one it depends on" : JSON.stringify(result);
}

function passes([, , sign]: readonly string[]): boolean {
  return sign === "✅";
}

function compared(
  kind: string,
  suites: Suites,
  judge: Judge,
  all: ReadonlyMap<string, Results>,
): RowReport {
  const tests = of(kind, suites);
  const none = { cpu: NaN, core: NaN, memory: NaN, errors: 0 };
  const figures = Array.from(all, ([server, results]) => ({
    server,
    figure: tests.filter(({ id }) => passes(judge(suites, id, results))).length,
    ...none,
  }));
  const { ours, others } = sides(figures);
  const best = Math.max(...others.map(({ figure }) => figure));
  const row = `${kind}, of ${tests.length}`;
  const met = ours.figure >= best;
  return { row, per: "", figures, ratio: ours.figure / best, bar: "≥ all others", met };
}
