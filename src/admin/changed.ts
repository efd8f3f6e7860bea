import type { Changed, ToldProblem } from "./deps.ts";
import { type Call, type Content, fail, json } from "./route.ts";

/** What may become of a change of the config, as every such route answers it. */
export const CHANGED: Readonly<Record<number, Content>> = {
  200: {
    about: "In force in all workers, and not in the file yet.",
    schema: {
      type: "object",
      required: ["changed", "notes", "generation", "unsaved"],
      properties: {
        changed: { type: "array", items: { type: "string" } },
        notes: { type: "array", items: { type: "string" } },
        generation: { type: "integer" },
        unsaved: { type: "integer", description: "Changes that are not in the file." },
      },
    },
  },
  400: { about: "The input does not fit; `problems` says where." },
  409: {
    about:
      "It makes no sense now (`cannot`), the config has changed (`stale`), or nobody would be left with full access (`last_user`).",
  },
  422: { about: "The config would be wrong; `problems` says where. Nothing has changed." },
};

const LAST_USER =
  "nobody would be left with full access; let somebody else in first, or say force=1 (the unix socket always may)";
/** Of routes that may take the last user away. */
export const FORCE = { force: "1: even if nobody is left who may change anything." };

/** Does whoever asks want it whatever becomes of the users? Who has the unix socket is never locked out. */
export function forced({ query, visitor }: Call): boolean {
  return query("force") === "1" || visitor?.by === "socket";
}

export function changedAnswer(changed: Changed): Response {
  switch (changed.kind) {
    case "done": {
      const { kind: _, ...done } = changed;
      return json(done);
    }
    case "refused":
      return fail(400, "bad_input", "the input does not fit", { problems: changed.problems });
    case "cannot":
      return fail(409, "cannot", changed.why);
    case "stale":
      return fail(409, "stale", "the config has been changed meanwhile; look at it again");
    case "last user":
      return fail(409, "last_user", LAST_USER);
    case "bad config":
      return badConfig(changed.problems);
  }
}

/** Field by field: what else a problem carries (the line itself) may show a secret. */
export function badConfig(problems: readonly ToldProblem[]): Response {
  return fail(422, "bad_config", "the config is wrong; nothing has changed", {
    problems: problems.map(told),
  });
}

export function told({ file, line, column, path, message }: ToldProblem): ToldProblem {
  return { file, line, column, path, message };
}
