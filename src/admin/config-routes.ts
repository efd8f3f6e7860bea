import * as v from "valibot";

import { badConfig, CHANGED, changedAnswer, FORCE, forced, told } from "./changed.ts";
import { type Call, fail, json, type Route } from "./route.ts";

/** Bytes of a config text, JSON's quotes and escapes included. */
const MAX_TEXT = 2 ** 20;

const strings = { type: "array", items: { type: "string" } } as const;
const unsaved = {
  type: "array",
  items: {
    type: "object",
    required: ["at", "who", "what"],
    properties: {
      at: { type: "integer", description: "Milliseconds since 1970." },
      who: { type: "string" },
      what: { type: "string" },
    },
  },
} as const;
const problems = {
  type: "array",
  items: {
    type: "object",
    required: ["file", "line", "column", "path", "message"],
    properties: {
      file: { type: "string" },
      line: { type: "integer", minimum: 1 },
      column: { type: "integer", minimum: 1 },
      path: { type: "string" },
      message: { type: "string" },
    },
  },
} as const;

const whole = v.strictObject({
  text: v.pipe(
    v.string(),
    v.description("YAML. A mask stands for the secret that the running config has there."),
  ),
});
const put = v.strictObject({
  ...whole.entries,
  base: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.description("Generation that the text was made from (status.generation, ETag)."),
    ),
  ),
});
const force = v.strictObject({
  force: v.optional(
    v.pipe(v.boolean(), v.description("Also over what others have written there meanwhile.")),
    false,
  ),
  render: v.optional(
    v.pipe(
      v.boolean(),
      v.description("Only tell what would be written, secrets and all: on the unix socket only."),
    ),
    false,
  ),
});

/** Reading, changing and saving the config. */
export const CONFIG_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/config",
    summary: "The config in force, secrets masked. Its ETag is the generation.",
    needs: "known",
    answers: { 200: { about: "YAML.", type: "application/yaml" } },
    handle: ({ deps: { config } }) => {
      const headers = { "Content-Type": "application/yaml", ETag: `"${config.generation}"` };
      return new Response(config.masked(), { headers });
    },
  },
  {
    method: "PUT",
    path: "/api/v1/config",
    summary: "Put a whole config in force: all of it, or none when anything is wrong.",
    needs: "change",
    input: put,
    query: FORCE,
    maxBody: MAX_TEXT,
    answers: CHANGED,
    handle: async (call) => {
      const { deps, input, who, note } = call;
      const { text, base } = input as v.InferOutput<typeof put>; // the route's schema made it
      const changed = await deps.config.put(text, who, { base, force: forced(call) });
      note("config put", { ok: changed.kind === "done" }, "quietly");
      return changedAnswer(changed);
    },
  },
  {
    method: "POST",
    path: "/api/v1/config/check",
    summary: "What is wrong with a config? Nothing is put in force.",
    needs: "change",
    input: whole,
    maxBody: MAX_TEXT,
    answers: {
      200: {
        about: "Everything that is wrong with it.",
        schema: {
          type: "object",
          required: ["ok", "problems", "warnings"],
          properties: { ok: { type: "boolean" }, problems, warnings: strings },
        },
      },
    },
    handle: ({ deps, input }) => {
      const { text } = input as v.InferOutput<typeof whole>; // the route's schema made it
      const { problems, warnings } = deps.config.check(text);
      return json({ ok: problems.length === 0, problems: problems.map(told), warnings });
    },
  },
  {
    method: "POST",
    path: "/api/v1/config/save",
    summary: "Write what runs to the file, its comments kept.",
    needs: "change",
    input: force,
    answers: {
      200: {
        about: "It is in the file, on disk.",
        schema: {
          type: "object",
          required: ["saved", "file"],
          properties: {
            saved: { type: "boolean", description: "False: the file said it already." },
            file: { type: "string" },
            notes: strings,
            text: { type: "string", description: "With `render`." },
          },
        },
      },
      409: {
        about:
          "There is no file (`no_file`), somebody else has changed it and the changes do not go " +
          "together (`changed_on_disk`), or it may not be written (`cannot_write`).",
      },
    },
    handle: save,
  },
  {
    method: "GET",
    path: "/api/v1/config/diff",
    summary: "The file against what runs, secrets masked.",
    needs: "known",
    answers: {
      200: {
        about: "Lines for people, paths for programs, and who made the changes.",
        schema: {
          type: "object",
          required: ["same", "file", "changedOnDisk", "changed", "diff", "unsaved"],
          properties: {
            same: { type: "boolean" },
            file: { type: "string" },
            changedOnDisk: { type: "boolean" },
            changed: strings,
            diff: { type: "string", description: "As diff -u prints it." },
            unsaved,
          },
        },
      },
    },
    handle: ({ deps }) => {
      const { file, changedOnDisk, changed, diff, unsaved } = deps.config.diff();
      const who = unsaved.map(({ at, who, what }) => ({ at, who, what }));
      return json({ same: diff === "", file, changedOnDisk, changed, diff, unsaved: who });
    },
  },
  {
    method: "POST",
    path: "/api/v1/reload",
    summary: "Read the config again and move to it: all of it, or none when anything is wrong.",
    needs: "change",
    answers: {
      200: {
        about: "In force; what changed, and the unsaved changes that are gone by it.",
        schema: {
          type: "object",
          required: ["changed", "notes", "dropped"],
          properties: { changed: strings, notes: strings, dropped: unsaved },
        },
      },
      422: { about: "Nothing changed; `problems` says where the config is wrong." },
    },
    handle: reload,
  },
];

async function save({ deps, visitor, input, who, note }: Call): Promise<Response> {
  const how = input as v.InferOutput<typeof force>; // the route's schema made it
  if (how.render && visitor?.by !== "socket")
    return fail(403, "socket_only", "what would be written is told on the unix socket only");
  const saved = await deps.config.save(who, how);
  if (saved.kind === "rendered") return json({ saved: false, file: saved.file, text: saved.text });
  note("config save", { ok: saved.kind !== "refused" }, "quietly");
  if (saved.kind === "refused") return fail(409, saved.error, saved.why);
  return json({ saved: saved.kind === "saved", file: saved.file, notes: saved.notes });
}

async function reload({ deps, who, note }: Call): Promise<Response> {
  const outcome = await deps.reload(who);
  note("reload", { ok: outcome.ok }, "quietly");
  if (!outcome.ok) return badConfig(outcome.problems);
  const { changed, notes, dropped } = outcome;
  return json({ changed, notes, dropped: dropped.map(({ at, who, what }) => ({ at, who, what })) });
}
