import { timingSafeEqual } from "node:crypto";

import { isPrivate } from "../core/loopback.ts";
import type { Caller } from "./deps.ts";
import type { Answer, Visitor } from "./door.ts";
import { sameOrigin } from "./origin.ts";
import { fail, type Needs } from "./route.ts";

/** Both are offered; a program takes the one it has. */
const CHALLENGE = 'Basic realm="tern", charset="UTF-8", Bearer realm="tern"';
/** To a script in a page: for Basic the browser would ask by a window of its own. */
const CHALLENGE_TO_SCRIPTS = 'Bearer realm="tern"';

/** May this be done? The response that refuses it, or undefined. */
export function refusal(request: {
  readonly needs: Needs;
  readonly method: string;
  readonly answer: Answer;
  readonly caller: Caller;
  readonly headers: Headers;
  /** X-CSRF-Token, or the field of that purpose in a form. */
  readonly csrf: string | undefined;
}): Response | undefined {
  const { needs, method, answer, caller, headers, csrf } = request;
  const changes = method !== "GET" && method !== "HEAD";
  if (changes && caller.listener.kind === "tcp" && !sameOrigin(headers, caller.secure)) {
    return fail(403, "cross_origin", "pages of other sites may not change anything here");
  }
  if (!asksWho(needs, caller)) return undefined;
  if (answer.kind === "wait") return tooMany(answer.ms);
  if (answer.kind === "stranger") return unknown(headers);
  const { visitor } = answer;
  if (needs === "change" && visitor.access !== "full") return notAllowed(visitor);
  if (changes && visitor.by === "cookie" && !equal(csrf, visitor.login?.session.csrf)) {
    return fail(403, "csrf", "send the csrf token that login and /api/v1/me give, in X-CSRF-Token");
  }
  return undefined;
}

/** Is it of interest here who somebody is? If not, no password is looked at. */
export function asksWho(needs: Needs, caller: Caller): boolean {
  return needs === "scrape" ? !isPrivate(caller.listener) : needs !== "nothing";
}

function unknown(headers: Headers): Response {
  const message = "log in at /api/v1/login, or send a name and password with Basic";
  const byScript = headers.get("sec-fetch-dest") === "empty"; // Fetch Metadata, 2.1
  const challenge = byScript ? CHALLENGE_TO_SCRIPTS : CHALLENGE;
  return fail(401, "unauthenticated", message, { headers: { "WWW-Authenticate": challenge } });
}

export function tooMany(ms: number): Response {
  const seconds = Math.ceil(ms / 1000);
  const message = `too many wrong passwords; try again in ${seconds} s`;
  return fail(429, "slow_down", message, { headers: { "Retry-After": String(seconds) } });
}

function notAllowed({ name, by }: Visitor): Response {
  if (by !== "nobody") return fail(403, "readonly", `${name} may look, not change`);
  const how = `add one with full access to admin.users (make a password with "tern hash-password"), or use the unix socket, as the tern command does`;
  return fail(403, "no_users", `nobody may change anything here, since there are no users: ${how}`);
}

function equal(given: string | undefined, known: string | undefined): boolean {
  if (given === undefined || known === undefined) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(known)];
  return a.length === b.length && timingSafeEqual(a, b);
}
