import { html, raw } from "hono/html";

import type { Shown } from "./deps.ts";
import type { Proof, Visitor } from "./door.ts";
import { human, title } from "./human.ts";
import type { Call } from "./route.ts";
import { STYLE, styleHash } from "./style.ts";

export const PAGE_TYPE = "text/html; charset=utf-8";

/** Nothing but this page's own style, and forms that come back here. No script at all. */
function policy(): string {
  return `default-src 'none'; style-src '${styleHash()}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
}

type Markup = ReturnType<typeof html>;

/** The state for those who may see it, a form to log in for the others. */
export async function frontPage({ deps, visitor }: Call): Promise<Response> {
  if (!visitor) return loginPage(deps.version, { kind: "stranger" }, 200);
  return page(deps.version, stateOf(await deps.status(), visitor));
}

/** After a login by the form that did not work, or before any. */
export function loginPage(
  version: string,
  proof: Exclude<Proof, { kind: "user" }>,
  status?: 200,
): Promise<Response> {
  const wait = proof.kind === "wait" ? Math.ceil(proof.ms / 1000) : 0;
  const why =
    status === 200
      ? ""
      : wait > 0
        ? `Too many wrong passwords. Try again in ${wait} s.`
        : "No user has this name and password.";
  const form = html`<form method="post" action="/api/v1/login">
    <p class="wrong" role="alert">${why}</p>
    <label
      >Name <input name="name" autocomplete="username" autocapitalize="none" required autofocus
    /></label>
    <label
      >Password <input name="password" type="password" autocomplete="current-password" required
    /></label>
    <button>Log in</button>
  </form>`;
  const headers = wait > 0 ? { "Retry-After": String(wait) } : {};
  return page(version, form, status ?? (wait > 0 ? 429 : 401), headers);
}

async function page(
  version: string,
  content: Markup,
  status = 200,
  headers: Record<string, string> = {},
): Promise<Response> {
  const text = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>tern</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <header>
          <h1>tern</h1>
          <p>The edge in one binary. Version ${version}.</p>
        </header>
        <main>${content}</main>
      </body>
    </html> `;
  return new Response(String(text), {
    status,
    headers: {
      "Content-Type": PAGE_TYPE,
      "Content-Security-Policy": policy(),
      ...headers,
    },
  });
}

const LINKS = [
  { href: "/api/v1/status", text: "status" },
  { href: "/api/v1/services", text: "services" },
  { href: "/api/v1/config", text: "config" },
  { href: "/api/v1/activity", text: "activity" },
  { href: "/metrics", text: "metrics" },
  { href: "/api/v1/openapi.json", text: "the whole API (OpenAPI)" },
];

function stateOf(status: Shown, visitor: Visitor): Markup {
  const { name, access, login } = visitor;
  return html`<p>You are ${name}${access === "readonly" ? ", and may look" : ""}.</p>
    ${login ? logoutForm(login.session.csrf) : ""} ${sections(status)}
    <h2>API</h2>
    <ul>
      ${LINKS.map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`)}
    </ul>`;
}

function logoutForm(csrf: string): Markup {
  return html`<form method="post" action="/api/v1/logout">
    <input type="hidden" name="csrf" value="${csrf}" /><button>Log out</button>
  </form>`;
}

/** Whatever the status holds: what is one value as pairs, every list of objects as a table of its own. */
function sections(status: Shown): Markup[] {
  const entries = Object.entries(status);
  const tables = entries.filter(([, inner]) => rowsOf(inner).length > 0);
  const pairs = entries.filter((entry) => !tables.includes(entry));
  return [
    html`<h2>State</h2>
      ${value("", Object.fromEntries(pairs))}`,
    ...tables.map(
      ([key, inner]) =>
        html`<h2>${capital(title(key))}</h2>
          ${table(rowsOf(inner))}`,
    ),
  ];
}

function value(key: string, shown: unknown): Markup | string {
  if (shown === null || shown === undefined) return "–";
  if (Array.isArray(shown)) return list(key, shown as unknown[]);
  if (typeof shown === "number") return human(key, shown);
  if (typeof shown !== "object") return String(shown as string | boolean);
  const pairs = Object.entries(shown).map(([k, inner]) => {
    return html`<dt>${title(k)}</dt>
      <dd>${value(k, inner)}</dd>`;
  });
  return html`<dl>${pairs}</dl>`;
}

function list(key: string, items: readonly unknown[]): Markup | string {
  if (items.length === 0) return "none";
  const rows = rowsOf(items);
  if (rows.length > 0) return table(rows);
  return html`${items.map((item, i) => html`${i > 0 ? ", " : ""}${value(key, item)}`)}`;
}

/** The items when all of them are objects, else none. */
function rowsOf(items: unknown): Shown[] {
  if (!Array.isArray(items)) return [];
  const rows = items.filter(
    (i): i is Shown => typeof i === "object" && i !== null && !Array.isArray(i),
  );
  return rows.length === items.length ? rows : [];
}

function table(rows: readonly Shown[]): Markup {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return html`<table>
    <thead>
      <tr>
        ${columns.map((c) => html`<th scope="col">${title(c)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${columns.map((c) => html`<td>${value(c, row[c])}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
