import { readConfig } from "../app/config-text.ts";
import { showProblem } from "../config/problem.ts";
import { configPlace } from "./config-place.ts";
import { EXIT } from "./exit.ts";
import { complain, print, printJson, wantsColor } from "./terminal.ts";

const STDERR = 2;

/** `tern check`: every problem of a config, with its place. */
export default function check(options: { config?: string; json?: boolean }): number {
  const place = configPlace(options.config);
  const read = readConfig(place);
  const problems = read.ok ? [] : read.problems;
  const warnings = read.ok ? read.config.warnings : [];
  if (options.json) {
    // Without excerpts: those may stand beside a secret.
    printJson({ ok: read.ok, problems: problems.map(({ excerpt: _, ...rest }) => rest), warnings });
    return read.ok ? EXIT.ok : EXIT.failed;
  }
  const color = wantsColor(STDERR);
  for (const problem of problems) complain(showProblem(problem, { color }));
  for (const warning of warnings) complain(`warning: ${warning}`);
  if (!read.ok) return EXIT.failed;
  const sections = Object.keys(read.config.sections);
  const name = place.kind === "file" ? place.path : place.name;
  print(`${name}: good; ${sections.length === 0 ? "it serves nothing" : sections.join(", ")}`);
  return EXIT.ok;
}
