import { type Problem, showProblem } from "../config/problem.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { complain, print, printJson } from "./terminal.ts";

interface Done {
  readonly changed?: readonly string[];
  /** What it could not change, what it cost, and what it dropped. */
  readonly notes?: readonly string[];
  readonly problems?: readonly Omit<Problem, "excerpt">[];
}

/** `tern reload`: the running tern reads its config again. */
export default async function reload(options: Where & { json?: boolean }): Promise<number> {
  const answer = await ask(options, "POST", "/api/v1/reload");
  const { changed = [], notes = [], problems = [] } = (answer.json ?? {}) as Done;
  if (options.json) {
    printJson(answer.json);
    return answer.ok ? EXIT.ok : EXIT.failed;
  }
  if (!answer.ok) {
    for (const problem of problems) complain(showProblem({ ...problem, excerpt: "" }));
    const after = "the config before stays in force";
    throw new Exit(EXIT.failed, problems.length > 0 ? after : `${reason(answer)}; ${after}`);
  }
  print(changed.length === 0 ? "reloaded; nothing changed" : `reloaded: ${changed.join(", ")}`);
  for (const note of notes) print(note);
  return EXIT.ok;
}
