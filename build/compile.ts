/**
 * Single executables in dist/. `--host` makes only the one for this machine (two seconds);
 * otherwise all four for Linux too, with their sums and sizes. The runtimes of other targets are
 * fetched by Bun from npm, once.
 */
import { chmod, mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

import { ROOT, run, say, seconds } from "./step.ts";

const TARGETS = ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"] as const;

const { values } = parseArgs({
  options: {
    host: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    entry: { type: "string", default: "src/main.ts" },
    out: { type: "string", default: `${ROOT}dist` },
  },
});

await mkdir(values.out, { recursive: true });
const wanted = values.host
  ? []
  : TARGETS.filter((t) => !values.only.length || values.only.includes(t));
await compile("tern", undefined);
for (const target of wanted) await compile(`tern-${target}`, target);
if (wanted.length === TARGETS.length) await report();

async function compile(name: string, target: string | undefined): Promise<void> {
  const made = `${values.out}/${name}`;
  const done = await run([
    "bun",
    "build",
    "--compile",
    "--bytecode",
    "--minify",
    // Not --splitting: with Bun 1.4.5 such a binary crashes under load (test/e2e/binary.test.ts).
    "--format=esm",
    // A binary reads its own config and nothing that lies about in its working directory.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...(target ? [`--target=bun-${target}`] : []),
    values.entry,
    `--outfile=${made}`,
  ]);
  if (!done.ok) {
    say(`FAIL ${name}\n${done.output}`);
    process.exit(1);
  }
  await chmod(made, 0o755);
  say(`${name} (${seconds(done.ms)})`);
}

async function report(): Promise<void> {
  const sums: string[] = [];
  say("\n                          size   gzip -1");
  for (const target of TARGETS) {
    const name = `tern-${target}`;
    const bytes = await Bun.file(`${values.out}/${name}`).bytes();
    sums.push(`${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}  ${name}\n`);
    say(
      `${name.padEnd(22)} ${megabytes(bytes.length)} ${megabytes(gzipSync(bytes, { level: 1 }).length)}`,
    );
  }
  await Bun.write(`${values.out}/SHA256SUMS`, sums.join(""));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(6)} MB`;
}
