import * as v from "valibot";

import type { Edit, Plain, Written } from "../config/edit.ts";
import { passwordKind } from "../core/password-kind.ts";
import { CHANGED, changedAnswer, FORCE, forced } from "./changed.ts";
import { MAX_CHARS } from "./login.ts";
import { type Call, type Content, fail, json, type Route } from "./route.ts";

const NAME = /^[^\s:]+$/; // as config/admin.ts has it
const USERS = ["admin", "users"] as const;

const access = v.picklist(["full", "readonly"]);
const user = v.strictObject({
  access: v.optional(v.pipe(access, v.description("Of a new user: full when not given."))),
  password: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(MAX_CHARS),
      v.description("In clear, to be kept as an argon2id hash; or such a hash."),
    ),
  ),
});

const shown: Content["schema"] = {
  type: "object",
  required: ["name", "access"],
  properties: { name: { type: "string" }, access: { enum: ["full", "readonly"] } },
};

/** Who may come in. Changes are changes of `admin.users`, and are saved like all others. */
export const USER_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/users",
    summary: "Who may come in, and to do what.",
    needs: "known",
    answers: { 200: { about: "All users.", schema: { type: "array", items: shown } } },
    handle: ({ deps }) => json(deps.access().users.map(({ name, access }) => ({ name, access }))),
  },
  {
    method: "PUT",
    path: "/api/v1/users/{name}",
    summary: "Let somebody in, or change their password or access. Their sessions end.",
    needs: "change",
    input: user,
    query: FORCE,
    answers: CHANGED,
    handle: put,
  },
  {
    method: "DELETE",
    path: "/api/v1/users/{name}",
    summary: "Let somebody in no more. Their sessions end at once.",
    needs: "change",
    query: FORCE,
    answers: { ...CHANGED, 404: { about: "There is no such user." } },
    handle: remove,
  },
];

async function put(call: Call): Promise<Response> {
  const { deps, param, input } = call;
  const name = param("name");
  const { access, password } = input as v.InferOutput<typeof user>; // the route's schema made it
  if (!NAME.test(name) || name.length > MAX_CHARS)
    return fail(400, "bad_input", "a name has no spaces and no colons");
  const { users } = deps.access();
  const known = users.find((one) => one.name === name);
  if (!known && password === undefined)
    return fail(400, "bad_input", "a new user needs a password");
  const next = access ?? known?.access ?? "full";
  const hash =
    password === undefined || isHash(password)
      ? password
      : await Bun.password.hash(password, "argon2id");
  const what = known ? `user ${name} changed` : `user ${name} added as ${next}`;
  return done(call, name, what, (config) => putEdits(config, name, next, hash));
}

async function remove(call: Call): Promise<Response> {
  const { deps, param } = call;
  const name = param("name");
  const { users } = deps.access();
  if (!users.some((one) => one.name === name)) return fail(404, "no_user", "there is no such user");
  return done(call, name, `user ${name} removed`, (config) => {
    const index = indexOf(config, name);
    return index < 0 ? [] : [{ kind: "remove", path: [...USERS, index] }];
  });
}

async function done(
  call: Call,
  name: string,
  what: string,
  edits: (config: Written) => readonly Edit[],
): Promise<Response> {
  const { deps, door, events, who, note } = call;
  const changed = await deps.config.edit(what, who, edits, { force: forced(call) });
  note("user", { name, ok: changed.kind === "done" }, "quietly");
  if (changed.kind === "done") {
    door.sessions.closeOf(name);
    events.look();
  }
  return changedAnswer(changed);
}

function putEdits(
  config: Written,
  name: string,
  access: "full" | "readonly",
  hash: string | undefined,
): Edit[] {
  const index = indexOf(config, name);
  if (index < 0) {
    const value: Plain = { name, password: hash ?? "", access };
    return [{ kind: "append", path: USERS, value }];
  }
  const path = [...USERS, index];
  const edits: Edit[] = [];
  const written = config.at([...path, "access"]) ?? "full";
  if (written !== access) edits.push({ kind: "set", path: [...path, "access"], value: access });
  if (hash !== undefined) edits.push({ kind: "set", path: [...path, "password"], value: hash });
  return edits;
}

/** Not every hash begins so; but what does not may as well be a password of 13 letters. */
function isHash(password: string): boolean {
  return password.startsWith("$") && passwordKind(password) !== undefined;
}

function indexOf(config: Written, name: string): number {
  const users = config.at(USERS);
  if (!Array.isArray(users)) return -1;
  return (users as readonly Plain[]).findIndex(
    (user) => typeof user === "object" && user !== null && "name" in user && user.name === name,
  );
}
