/**
 * The gate, in seconds: format, types, lint, and the house rules. `bun run check` looks at
 * everything, `bun run check src/net` at the format, types and lint of that place.
 */
import { bin, run, say, seconds } from "./step.ts";

const places = process.argv.slice(2);
const everything = ["src", "test", "build"];

const steps: Record<string, string[]> = {
  format: [
    "bun",
    "fmt",
    "--no-script",
    "--check",
    ...(places.length ? places : [...everything, "conf", "README.md", "package.json"]),
  ],
  lint: [
    bin("oxlint"),
    "-c",
    "build/oxlint.json",
    "--type-aware",
    ...(places.length ? places : everything),
  ],
  ...(places.length
    ? { types: ["bun", "check", "--no-script", ...places] }
    : {
        ...Object.fromEntries(
          everything.map((place) => [
            `types of ${place}`,
            ["bun", "check", "--no-script", "-p", place],
          ]),
        ),
        house: ["bun", "test", "test/house/"],
      }),
};

const results = await Promise.all(
  Object.entries(steps).map(async ([name, command]) => ({ name, ...(await run(command)) })),
);
for (const { name, ok, output, ms } of results) {
  say(`${ok ? "ok  " : "FAIL"} ${name} (${seconds(ms)})`);
  if (!ok) say(output.trimEnd());
}
process.exit(results.every((r) => r.ok) ? 0 : 1);
