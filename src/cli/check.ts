import { readConfig } from "../app/config-text.ts";
import { problemsOf } from "../app/problems.ts";
import { rehearse } from "../app/rehearsal.ts";
import { type Problem, showProblem } from "../config/problem.ts";
import { configPlace } from "./config-place.ts";
import { EXIT } from "./exit.ts";
import { complain, print, printJson, wantsColor } from "./terminal.ts";

const STDERR = 2;

/** `tern check`: every problem of a config, with its place. */
export default async function check(options: { config?: string; json?: boolean }): Promise<number> {
  const place = configPlace(options.config);
  const name = place.kind === "file" ? place.path : place.name;
  const read = readConfig(place);
  const problems = read.ok
    ? await rehearse(read.config).then(
        () => [],
        (error: unknown) => problemsOf(error, name, read.config.source),
      )
    : read.problems;
  const warnings = read.ok ? read.config.warnings : [];
  const code = problems.length === 0 ? EXIT.ok : EXIT.failed;
  if (options.json) {
    printJson({ ok: code === EXIT.ok, problems: problems.map(withoutExcerpt), warnings });
    return code;
  }
  const color = wantsColor(STDERR);
  for (const problem of problems) complain(showProblem(problem, { color }));
  for (const warning of warnings) complain(`warning: ${warning}`);
  if (!read.ok || code !== EXIT.ok) return code;
  const sections = Object.keys(read.config.sections);
  print(`${name}: good; ${sections.length === 0 ? "it serves nothing" : sections.join(", ")}`);
  return code;
}

/** A line of the file says nothing to a program, and may hold a secret in a way we do not know. */
function withoutExcerpt({ file, line, column, path, message }: Problem): Omit<Problem, "excerpt"> {
  return { file, line, column, path, message };
}
