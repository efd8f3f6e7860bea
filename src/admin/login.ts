import { type CookieOptions, serialize } from "hono/utils/cookie";
import * as v from "valibot";

import type { Caller } from "./deps.ts";
import { tooMany } from "./guard.ts";
import { fromBrowser } from "./origin.ts";
import { type Call, fail, json } from "./route.ts";
import { IDLE_MS } from "./sessions.ts";

/** Longer than any name or password in use; keeps hashing short. */
export const MAX_CHARS = 1024;

/** What `login` takes. */
export const credentials = v.object({
  name: v.pipe(v.string(), v.regex(/^[^\s:]+$/, "a name"), v.maxLength(MAX_CHARS)),
  password: v.pipe(v.string(), v.maxLength(MAX_CHARS)),
});

/** The cookie's name; `__Host-` makes browsers hold a TLS one to this host, path and Secure. */
export function cookieName(caller: Caller): string {
  return caller.secure ? "__Host-tern" : "tern";
}

function cookie(caller: Caller, token: string, more: CookieOptions = {}): string {
  const { secure } = caller;
  const options = { path: "/", httpOnly: true, sameSite: "Strict", secure, ...more } as const;
  return serialize(cookieName(caller), token, options);
}

/** Open a session: a cookie for pages, the token itself only for programs. */
export async function login({ door, deps, caller, headers, input, note }: Call): Promise<Response> {
  if (deps.access().users.length === 0) {
    return fail(403, "no_users", "there are no users to log in as: add one to admin.users");
  }
  const { name, password } = input as v.InferOutput<typeof credentials>; // the route's schema made it
  const proof = await door.prove(name, password, caller);
  if (proof.kind !== "user") {
    note("login refused", { waits: proof.kind === "wait" });
    const wrong = () => fail(401, "wrong_password", "no user has this name and password");
    return proof.kind === "wait" ? tooMany(proof.ms) : wrong();
  }
  const { user } = proof;
  const { token, session } = door.sessions.open(user.name, user.password.reveal());
  note("login", { user: user.name });
  const answer = json({
    name: user.name,
    access: user.access,
    csrf: session.csrf,
    idle_seconds: IDLE_MS / 1000,
    // A page has no use for it, and what a page cannot see no script in it can steal.
    ...(!fromBrowser(headers) && { token }),
  });
  answer.headers.set("Set-Cookie", cookie(caller, token));
  return answer;
}

/** End the session the request came with; nothing to do for those who came without. */
export function logout({ door, caller, visitor, note }: Call): Response {
  if (visitor?.login) note("logout");
  if (visitor?.login) door.sessions.close(visitor.login.token);
  const answer = new Response(null, { status: 204 });
  if (visitor?.by === "cookie") answer.headers.set("Set-Cookie", cookie(caller, "", { maxAge: 0 }));
  return answer;
}
