import { EXPOSITION_TYPE } from "../observe/prometheus.ts";
import { CONFIG_ROUTES } from "./config-routes.ts";
import { consoleFile, consolePage, HTML_TYPE } from "./console/assets.ts";
import { EVENT_ROUTES } from "./event-routes.ts";
import { credentials, login, logout } from "./login.ts";
import { openapi } from "./openapi.ts";
import { type Call, type Content, fail, json, type Route } from "./route.ts";
import { SERVICE_ROUTES } from "./service-routes.ts";
import { USER_ROUTES } from "./user-routes.ts";

const TEXT = "text/plain; charset=utf-8";
const anything: Content["schema"] = { type: "object" };

/** Everything the admin listener answers. */
export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/",
    summary: "The console: a page for people. It asks this API for all that it shows.",
    needs: "nothing",
    answers: { 200: { about: "The page.", type: HTML_TYPE } },
    handle: consolePage,
  },
  {
    method: "GET",
    path: "/console/{file}",
    summary: "What the page is made of; the names change with the contents.",
    needs: "nothing",
    answers: {
      200: { about: "The file.", type: "text/javascript" },
      404: { about: "No such file." },
    },
    handle: ({ param, headers }) => consoleFile(param("file"), headers.get("accept-encoding")),
  },
  {
    method: "GET",
    path: "/healthz",
    summary: "Is the process alive?",
    needs: "nothing",
    answers: { 200: { about: "Yes.", type: TEXT }, 503: { about: "No.", type: TEXT } },
    handle: ({ deps }) => verdict(deps.health()),
  },
  {
    method: "GET",
    path: "/readyz",
    summary: "Should it be sent traffic?",
    needs: "nothing",
    answers: { 200: { about: "Yes.", type: TEXT }, 503: { about: "No.", type: TEXT } },
    handle: ({ deps }) => verdict(deps.ready()),
  },
  {
    method: "GET",
    path: "/metrics",
    summary: "Metrics of all workers, for Prometheus.",
    needs: "scrape",
    answers: { 200: { about: "Text exposition format 0.0.4.", type: EXPOSITION_TYPE } },
    handle: async ({ deps }) => text(await deps.metricsText(), EXPOSITION_TYPE),
  },
  {
    method: "POST",
    path: "/api/v1/login",
    summary: "Open a session. Programs get its token for Bearer; browsers only the cookie.",
    needs: "nothing",
    input: credentials,
    answers: {
      200: {
        about: "Who you are, and what to send in X-CSRF-Token.",
        schema: {
          type: "object",
          required: ["name", "access", "csrf", "idle_seconds"],
          properties: {
            name: { type: "string" },
            access: { enum: ["full", "readonly"] },
            csrf: { type: "string" },
            idle_seconds: { type: "integer" },
            token: { type: "string" },
          },
        },
      },
      400: { about: "Not a name and a password." },
      401: { about: "No user has this name and password." },
      403: { about: "There are no users." },
      429: { about: "Too many wrong passwords; Retry-After says when." },
    },
    handle: login,
  },
  {
    method: "POST",
    path: "/api/v1/logout",
    summary: "End the session.",
    needs: "known",
    answers: { 204: { about: "Ended." } },
    handle: logout,
  },
  {
    method: "GET",
    path: "/api/v1/me",
    summary: "Who you are here.",
    needs: "known",
    answers: {
      200: {
        about: "Your name, what you may do, and how you were known; csrf for cookies.",
        schema: {
          type: "object",
          required: ["name", "access", "by"],
          properties: {
            name: { type: "string" },
            access: { enum: ["full", "readonly"] },
            by: { enum: ["socket", "nobody", "basic", "bearer", "cookie"] },
            csrf: { type: "string" },
          },
        },
      },
    },
    handle: me,
  },
  {
    method: "GET",
    path: "/api/v1/status",
    summary: "What runs, since when, on which listeners, in which workers.",
    needs: "known",
    answers: { 200: { about: "As `tern status --json`.", schema: anything } },
    handle: async ({ deps }) => json(await deps.status()),
  },
  ...CONFIG_ROUTES,
  {
    method: "POST",
    path: "/api/v1/stop",
    summary: "Finish what is in hand, then end.",
    needs: "change",
    answers: { 202: { about: "Begun.", schema: anything } },
    handle: ({ deps, note }) => {
      note("stop");
      deps.stop();
      return json({ stopping: true }, 202);
    },
  },
  {
    method: "POST",
    path: "/api/v1/upgrade",
    summary: "Hand the listeners to the binary now on disk, and end.",
    needs: "change",
    answers: {
      200: { about: "The new one serves.", schema: anything },
      409: { about: "The old one still does; `message` says why." },
    },
    handle: async ({ deps, note }) => {
      note("upgrade");
      return deps.upgrade().then(json, (e: unknown) => fail(409, "upgrade_failed", said(e)));
    },
  },
  ...SERVICE_ROUTES,
  ...USER_ROUTES,
  ...EVENT_ROUTES,
  {
    method: "GET",
    path: "/api/v1/activity",
    summary: "Who logged in, was refused, and changed what here lately; oldest first.",
    needs: "known",
    answers: {
      200: {
        about: "Numbered from the start of the process.",
        schema: {
          type: "array",
          items: {
            type: "object",
            required: ["number", "time", "what", "client"],
            properties: {
              number: { type: "integer" },
              time: { type: "string", format: "date-time" },
              what: { type: "string" },
              user: { type: "string" },
              client: { type: "string" },
            },
          },
        },
      },
    },
    handle: ({ activity }) => {
      return json(activity.after(0).map(({ number, event }) => ({ number, ...event })));
    },
  },
  {
    method: "GET",
    path: "/api/v1/openapi.json",
    summary: "This API, described.",
    needs: "known",
    answers: { 200: { about: "OpenAPI 3.1.", schema: anything } },
    handle: ({ deps }) => json(openapi(ROUTES, deps.version, deps.services(), deps.changes())),
  },
];

function verdict(well: boolean): Response {
  return text(well ? "ok\n" : "not ready\n", TEXT, well ? 200 : 503);
}

function text(body: string, type: string, status = 200): Response {
  return new Response(body, { status, headers: { "Content-Type": type } });
}

function me({ visitor }: Call): Response {
  if (!visitor) throw new Error("came through the door unknown"); // `needs: known` forbids it
  const { name, access, by, login } = visitor;
  return json({ name, access, by, ...(by === "cookie" && { csrf: login?.session.csrf }) });
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
