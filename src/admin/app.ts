import type { Context } from "hono";
import { Hono } from "hono/tiny";
import { parse as parseCookies } from "hono/utils/cookie";

import { body } from "./body.ts";
import type { AdminDeps, Caller } from "./deps.ts";
import { type Answer, Door } from "./door.ts";
import { asksWho, refusal } from "./guard.ts";
import { cookieName } from "./login.ts";
import { hostAllowed } from "./origin.ts";
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

type Env = { Bindings: Caller };

/**
 * The admin API and its page. Needs no socket: `fetch(request, caller)`, where the caller is told
 * by the listener. Sessions and the memory of wrong passwords live and die with it, so it is made
 * once, not at every reload.
 */
export function adminApp(deps: AdminDeps): Hono<Env> {
  const app = new Hono<Env>();
  const door = new Door(deps.clock, () => deps.access());

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
    app.on(route.method, honoPath(route), (c) => answer(route, c, door, deps));
  }
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

async function answer(
  route: Route,
  c: Context<Env>,
  door: Door,
  deps: AdminDeps,
): Promise<Response> {
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
    csrf: headers.get("x-csrf-token") ?? sent.csrf,
  });
  if (refused) return refused;
  if ("bad" in sent) return sent.bad;
  return route.handle({
    deps,
    door,
    caller: c.env,
    headers,
    visitor: who.kind === "visitor" ? who.visitor : undefined,
    param: (key) => c.req.param(key) ?? "",
    input: sent.input,
    byForm: sent.byForm,
  });
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** RFC 9110, 15.5.6: a 405 says what would do. */
function allow(path: string): { Allow: string } {
  const methods = ROUTES.filter((r) => honoPath(r) === path).map((r) => r.method);
  return { Allow: methods.flatMap((m) => (m === "GET" ? ["GET", "HEAD"] : [m])).join(", ") };
}
