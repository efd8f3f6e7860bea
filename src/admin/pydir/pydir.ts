import { type Context, Hono } from "hono";

import type { Caller } from "../deps.ts";
import type { Answer, Door, Visitor } from "../door.ts";
import { sameOrigin } from "../origin.ts";
import {
  CannotDo,
  MissingArgument,
  type PydirCall,
  type PydirDeps,
  type Reading,
  type Writing,
} from "./call.ts";
import { GROUP_CALLS } from "./group-calls.ts";
import { HOST_CALLS } from "./host-calls.ts";
import { html } from "./html.ts";
import { PROGRAM_CALLS } from "./program-calls.ts";
import { READ_CALLS } from "./read-calls.ts";

const WRITE_CALLS = { ...HOST_CALLS, ...GROUP_CALLS, ...PROGRAM_CALLS };
const BASE = "/pydir";
/** Bytes of a form. */
const MAX_FORM = 64 * 1024;
const CHALLENGE = { "WWW-Authenticate": 'Basic realm="python director"' };
const FORM = "application/x-www-form-urlencoded";

type Env = { Bindings: Caller };

/**
 * pythondirector's web API. As there, every URL wants a password by Basic, calls that change
 * something may be GET, and whoever may not do a thing is answered 401.
 */
export function pydirApp(deps: PydirDeps, door: Door): Hono<Env> {
  const app = new Hono<Env>();
  app.all("/*", (c) => answer(c, deps, door));
  return app;
}

async function answer(c: Context<Env>, deps: PydirDeps, door: Door): Promise<Response> {
  const { raw } = c.req;
  const who = await door.who(raw.headers.get("authorization"), undefined, c.env);
  if (who.kind === "wait") {
    const after = String(Math.ceil(who.ms / 1000));
    return html("<p>Too many wrong passwords</p>\n", 429, { "Retry-After": after });
  }
  const visitor = known(who);
  if (visitor === undefined) return unauthorised();

  const { pathname } = new URL(raw.url);
  if (pathname === BASE) return c.redirect(`${BASE}/`);
  const name = pathname.slice(BASE.length + 1);
  const read = own(READ_CALLS, name);
  const write = own(WRITE_CALLS, name);
  if (!read && !write) return html("<html><body>no such URL</body></html>", 404);
  const allowed = read ? ["GET", "HEAD"] : ["GET", "POST"];
  if (!allowed.includes(raw.method))
    return html("<p>not with this method</p>\n", 405, { Allow: allowed.join(", ") });
  const mayChange = visitor.access === "full";
  if (write && !mayChange) return unauthorised();
  // What a browser keeps for Basic goes with every request, whichever page made it.
  if (write && c.env.listener.kind === "tcp" && !ownPage(raw.headers, c.env.secure))
    return html("<p>pages of other sites may not change anything here</p>\n", 403);

  const args = await argsOf(raw);
  if (args === undefined) return html("<p>too large</p>\n", 413);
  const call: PydirCall = {
    deps,
    arg: (key) => {
      const value = args.get(key);
      if (value === undefined) throw new MissingArgument([key]);
      return value;
    },
    maybe: (key) => args.get(key) || undefined,
    who: visitor.name,
    mayChange,
    bySocket: visitor.by === "socket",
  };
  try {
    return read ? await read(call) : await done(write as Writing, call); // one of them is there
  } catch (error) {
    if (error instanceof MissingArgument) return failure(500, error);
    if (error instanceof CannotDo) return failure(400, error);
    throw error;
  }
}

/** Only a password on this request counts, and the unix socket; a cookie is not looked at. */
function known(who: Answer): Visitor | undefined {
  if (who.kind !== "visitor") return undefined;
  return who.visitor.by === "basic" || who.visitor.by === "socket" ? who.visitor : undefined;
}

function unauthorised(): Response {
  return html("<p>Unauthorised</p>\n", 401, CHALLENGE);
}

async function done(write: Writing, call: PydirCall): Promise<Response> {
  const did = await write(call);
  if (did instanceof Response) return did;
  const location = `${BASE}/running?resultMessage=${quote(did.message)}`;
  return html(did.body ?? "OK\n", 302, { Location: location });
}

/** An error as pythondirector showed it, without its stack. */
function failure(status: number, { message }: Error): Response {
  return html(
    `<html><body><h2>error:</h2><b>${Bun.escapeHTML(message)}</b></body></html>\n`,
    status,
  );
}

/**
 * Old browsers, and over plain HTTP all of them, say where a link was only in Referer, which its
 * page can forbid: a browser that says nothing may come from anywhere.
 */
function ownPage(headers: Headers, secure: boolean): boolean {
  if (!sameOrigin(headers, secure)) return false;
  const referer = headers.get("referer");
  if (referer !== null) return URL.parse(referer)?.host === headers.get("host");
  const browser = headers.get("user-agent")?.startsWith("Mozilla/") ?? false;
  return !browser || headers.has("sec-fetch-site") || headers.has("origin");
}

/** Parameters of the URL, and of a form; their names in lower case, the last of a name counts. */
async function argsOf(request: Request): Promise<Map<string, string> | undefined> {
  const pairs = [...new URL(request.url).searchParams];
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (request.method === "POST" && type === FORM) {
    const body = await request.text(); // the listener takes no more than a megabyte
    if (body.length > MAX_FORM) return undefined;
    pairs.push(...new URLSearchParams(body));
  }
  return new Map(pairs.map(([key, value]) => [key.toLowerCase(), value]));
}

/** As Python's urllib.quote: `/` stays. */
function quote(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%2F", "/")
    .replaceAll(/[!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function own<T extends Reading | Writing>(
  calls: Readonly<Record<string, T>>,
  name: string,
): T | undefined {
  return Object.hasOwn(calls, name) ? calls[name] : undefined;
}
