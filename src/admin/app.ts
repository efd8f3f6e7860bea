import type { Context } from "hono";
import { Hono } from "hono/tiny";
import { parse as parseCookies } from "hono/utils/cookie";

import type { Calendar } from "../observe/calendar.ts";
import { Recent } from "../observe/recent.ts";
import { body } from "./body.ts";
import type { AdminDeps, Caller, Shown } from "./deps.ts";
import { type Answer, Door, type Visitor } from "./door.ts";
import { Events } from "./events.ts";
import { asksWho, refusal } from "./guard.ts";
import { cookieName } from "./login.ts";
import { hostAllowed } from "./origin.ts";
import { pydirApp } from "./pydir/pydir.ts";
import { fail, type Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** Sent with every answer; the page brings a policy of its own. */
const SAFE_HEADERS = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** Answered whatever name they are called by: health checkers use their own, and learn nothing. */
const HEALTH: readonly string[] = ["/healthz", "/readyz"];

/** How much of what was done here is remembered. */
const ACTIVITY = 200;

type Env = { Bindings: Caller };

/**
 * The admin API and its page. Needs no socket: `fetch(request, caller)`, where the caller is told
 * by the listener. Sessions and the memory of wrong passwords live and die with it, so it is made
 * once, not at every reload.
 */
export function adminApp(deps: AdminDeps, calendar: Calendar = Date): Hono<Env> {
  const app = new Hono<Env>();
  const door = new Door(deps.clock, () => deps.access());
  const events = new Events({ ...deps, figures: () => deps.figures() });
  const house: House = { deps, door, calendar, activity: new Recent(ACTIVITY), events };

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(SAFE_HEADERS)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
  });
  app.use(async (c, next) => {
    if (c.env.listener === undefined) throw new Error("an admin request without its caller");
    const called = hostAllowed(c.req.header("host"), c.env.listener, deps.access().hosts);
    if (called || HEALTH.includes(c.req.path)) return next();
    return fail(421, "wrong_host", "this listener goes by another name; use its address");
  });
  for (const route of ROUTES) {
    app.on(route.method, honoPath(route), (c) => answer(route, c, house));
  }
  app.route("/pydir", pydirApp(deps, door));
  for (const path of new Set(ROUTES.map(honoPath))) {
    app.all(path, () => fail(405, "bad_method", "not with this method", { headers: allow(path) }));
  }
  app.notFound(() => fail(404, "not_found", "the API is described at /api/v1/openapi.json"));
  app.onError((error) => {
    deps.log.error("the admin API failed", { error });
    return fail(500, "internal", "this is our mistake; the log has more");
  });
  return app;
}

/** What all requests share. */
interface House {
  readonly deps: AdminDeps;
  readonly door: Door;
  readonly calendar: Calendar;
  readonly activity: Recent<Shown>;
  readonly events: Events;
}

async function answer(route: Route, c: Context<Env>, house: House): Promise<Response> {
  const { deps, door, calendar, activity, events } = house;
  const { raw } = c.req;
  const { headers } = raw;
  const name = cookieName(c.env);
  const cookie = parseCookies(headers.get("cookie") ?? "", name)[name];
  const who: Answer = asksWho(route.needs, c.env)
    ? await door.who(headers.get("authorization"), cookie, c.env)
    : { kind: "stranger" };
  const sent = await body(raw, route);
  const refused = refusal({
    needs: route.needs,
    method: route.method,
    answer: who,
    caller: c.env,
    headers,
    csrf: headers.get("x-csrf-token") ?? undefined,
  });
  if (refused) return refused;
  if ("bad" in sent) return sent.bad;
  const visitor = who.kind === "visitor" ? who.visitor : undefined;
  return route.handle({
    deps,
    door,
    caller: c.env,
    headers,
    signal: raw.signal,
    visitor,
    param: (key) => c.req.param(key) ?? "",
    query: (key) => c.req.query(key),
    who: whoIs(visitor, headers),
    input: sent.input,
    note: (what, more, how) => {
      const event = { ...(visitor && { user: visitor.name }), client: c.env.client, ...more };
      if (how !== "quietly") deps.log.info(what, event);
      activity.push({ time: new Date(calendar.now()).toISOString(), what, ...event });
    },
    activity,
    events,
  });
}

/** Sent by the CLI: on the unix socket everybody is the same, unless they say who they are. */
const OPERATOR = "x-operator";

function whoIs(visitor: Visitor | undefined, headers: Headers): string {
  if (!visitor) return "";
  const operator = visitor.by === "socket" ? headers.get(OPERATOR) : null;
  return operator !== null && /^[\w.@-]{1,64}$/.test(operator) ? operator : visitor.name;
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** RFC 9110, 15.5.6: a 405 says what would do. */
function allow(path: string): { Allow: string } {
  const methods = ROUTES.filter((r) => honoPath(r) === path).map((r) => r.method);
  return { Allow: methods.flatMap((m) => (m === "GET" ? ["GET", "HEAD"] : [m])).join(", ") };
}
