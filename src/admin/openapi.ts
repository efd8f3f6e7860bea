import type { ActionForm, AdminService } from "./deps.ts";
import { type Form, form } from "./form.ts";
import type { Content, Needs, Route } from "./route.ts";

const ACTIONS = "/api/v1/services/{service}/actions/{action}";
const CHANGES = "/api/v1/services/{service}/changes/{change}";

/** The table of routes as an OpenAPI 3.1 document, with a path for every action and change there is now. */
export function openapi(
  routes: readonly Route[],
  version: string,
  services: readonly AdminService[],
  changes: Readonly<Record<string, Readonly<Record<string, ActionForm>>>>,
): Form {
  const actions = Object.fromEntries(services.map(({ name, actions }) => [name, actions]));
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const method = route.method.toLowerCase();
    paths[route.path] = { ...paths[route.path], [method]: operation(route, nameOf(route)) };
    const named = route.path === ACTIONS ? actions : route.path === CHANGES ? changes : {};
    for (const [service, own] of Object.entries(named)) {
      for (const [name, action] of Object.entries(own)) {
        const path = route.path.replace("{service}", service).replace(/\{\w+\}$/, name);
        paths[path] = { post: ofAction(route, path, `${service}_${name}`, service, action) };
      }
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "tern admin API", version, description: ABOUT },
    paths,
    components: { securitySchemes: SCHEMES, schemas: { Failure: FAILURE } },
  };
}

const ABOUT =
  "On the unix socket every caller may do everything. On TCP: Basic or Bearer for programs, a " +
  "session cookie for pages; what a cookie changes must carry X-CSRF-Token.";

const SCHEMES = {
  basic: { type: "http", scheme: "basic" },
  bearer: { type: "http", scheme: "bearer", description: "The token that login gives a program." },
  cookie: { type: "apiKey", in: "cookie", name: "tern", description: "__Host-tern over TLS." },
};

const FAILURE = {
  type: "object",
  required: ["error", "message"],
  properties: {
    error: { type: "string", description: "For programs." },
    message: { type: "string", description: "For people." },
    problems: { type: "array" },
  },
};

/** What may happen at any door. */
const REFUSALS: Readonly<Record<Needs, readonly number[]>> = {
  nothing: [],
  scrape: [401, 429],
  known: [401, 429],
  change: [400, 401, 403, 429],
};
const WHY: Readonly<Record<number, string>> = {
  400: "The body is not JSON, or does not fit.",
  401: "Nobody we know.",
  403: "Known, but not allowed: readonly, no CSRF token, or a page of another site.",
  429: "Too many wrong passwords; Retry-After says when.",
};

function operation(route: Route, id: string): Record<string, unknown> {
  const { needs, summary, answers, input, path } = route;
  const refused = REFUSALS[needs].map((status) => [status, { about: WHY[status] ?? "" }] as const);
  const all: Record<string, Content> = { ...Object.fromEntries(refused), ...answers };
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const open = needs === "nothing";
  const csrf = route.method !== "GET" && !open;
  const query = Object.entries(route.query ?? {});
  const parameters = [
    ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...query.map(([name, description]) => ({
      name,
      in: "query",
      description,
      schema: { type: "string" },
    })),
    ...(csrf ? [CSRF] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(input && { requestBody: body(form(input)) }),
    responses: Object.fromEntries(
      Object.entries(all).map(([status, content]) => [status, response(Number(status), content)]),
    ),
    security: open ? [{}] : [{ basic: [] }, { bearer: [] }, { cookie: [] }],
  };
}

const CSRF = {
  name: "X-CSRF-Token",
  in: "header",
  description: "Needed with a cookie.",
  schema: { type: "string" },
};

function ofAction(
  route: Route,
  path: string,
  id: string,
  service: string,
  action: ActionForm,
): unknown {
  const kind = route.path === CHANGES ? "change" : "action";
  const described = operation({ ...route, path, summary: action.about }, `${kind}_${id}`);
  return { ...described, requestBody: body(action.input), tags: [service] };
}

function body(schema: Form): unknown {
  return { content: { "application/json": { schema } } };
}

function response(status: number, { about, type, schema }: Content): unknown {
  const failed = status >= 400 && type === undefined;
  const shape = failed ? { $ref: "#/components/schemas/Failure" } : schema;
  const name = (type ?? "application/json").split(";")[0] ?? "";
  const content = shape ? { schema: shape } : {};
  if (!failed && type === undefined && schema === undefined) return { description: about };
  return { description: about, content: { [name]: content } };
}

/** `get_services_stats`: unique, since method and path are. */
function nameOf({ method, path }: Route): string {
  const words = path
    .replace("/api/v1", "")
    .replaceAll(/\{\w+\}/g, "")
    .split(/\W+/);
  return [method.toLowerCase(), ...words.filter(Boolean)].join("_");
}
