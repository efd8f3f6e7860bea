import { html as markup } from "hono/html";

import type { RunningGroup, RunningHost, RunningService } from "./running.ts";

type Markup = ReturnType<typeof markup>;

/** Longer messages are nobody's. */
const MAX_MESSAGE = 500;
const REFRESH_S = 60;

export function indexPage(version: string): Promise<string> {
  return page(
    version,
    markup`<p>What pythondirector showed and took, for programs and habits that know it.</p>`,
  );
}

/** The state of all services; with forms for those who may change it. */
export function runningPage(
  services: readonly RunningService[],
  {
    version,
    mayChange,
    message,
    refresh,
  }: {
    readonly version: string;
    readonly mayChange: boolean;
    readonly message: string | undefined;
    readonly refresh: boolean;
  },
): Promise<string> {
  const said = message?.slice(0, MAX_MESSAGE).replaceAll(/<\/?b>/g, "");
  return page(
    version,
    markup`${said === undefined ? "" : markup`<p class="message" role="status">${said}</p>`}
      <p>
        <a href="running">refresh</a> ·
        ${refresh ? "refreshed every minute" : markup`<a href="running?refresh=1">refresh every minute</a>`}
        ${mayChange ? button("save", {}, "save to the config file") : ""}
      </p>
      ${services.map((service) => serviceTable(service, mayChange))}
      ${services.length === 0 ? markup`<p>There are no services.</p>` : ""}`,
    refresh,
  );
}

async function page(version: string, content: Markup, refresh = false): Promise<string> {
  const again = markup`<meta http-equiv="refresh" content="${REFRESH_S}; url=running?refresh=1" />`;
  return String(
    await markup`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          ${refresh ? again : ""}
          <title>python director</title>
          <link rel="stylesheet" href="pydirector.css" />
        </head>
        <body>
          <h1>python director</h1>
          <p>Spoken by tern ${version}. The <a href="/">console</a> can do more.</p>
          <main>${content}</main>
          <nav>
            <a href="./">top</a> <a href="running">running</a> <a href="running.txt">running.txt</a>
            <a href="running.xml">running.xml</a> <a href="config.xml">config.xml</a>
          </nav>
        </body>
      </html> `,
  );
}

function serviceTable(service: RunningService, mayChange: boolean): Markup {
  const { name, listen, groups } = service;
  return markup`<table>
    <caption>
      <b>${name}</b>, listening on <code>${listen.join(", ")}</code>
    </caption>
    ${groups.map((group) => groupRows(service, group, mayChange))}
  </table>`;
}

function groupRows(service: RunningService, group: RunningGroup, mayChange: boolean): Markup {
  const enabled = group.name === service.enabled;
  const of = { service: service.name, group: group.name };
  const klass = enabled ? "enabled" : "inactive";
  const row = (host: RunningHost): Markup => hostRow(host, of, klass, mayChange);
  return markup`<tbody>
    <tr class="group ${klass}">
      <th colspan="6" scope="rowgroup">
        ${group.name}, ${group.scheduler}
        ${enabled ? "ENABLED" : mayChange ? button("enableGroup", of, "enable") : "inactive"}
        ${mayChange ? addForm(of) : ""}
      </th>
    </tr>
    <tr class="${klass}">
      <th scope="col">host</th>
      <th scope="col">address</th>
      <th scope="col">open</th>
      <th scope="col">total</th>
      <th scope="col">state</th>
      <th scope="col"></th>
    </tr>
    ${group.hosts.map(row)}
  </tbody>`;
}

function hostRow(
  { name, address, open, total, disabled, since }: RunningHost,
  of: Fields,
  klass: string,
  mayChange: boolean,
): Markup {
  const host = { ...of, name };
  return markup`<tr class="${klass}">
    <td>${name}</td>
    <td><code>${address}</code></td>
    <td>${open}</td>
    <td>${total}</td>
    <td>${disabled === undefined ? "up" : `${disabled} since ${since}`}</td>
    <td>
      ${
        mayChange
          ? [
              disabled === "admin_down" || disabled === "admin_drain"
                ? button("hostAdminUp", host, "up")
                : button("hostAdminDown", host, "down"),
              disabled === undefined ? "" : button("retryHost", { ...of, host: name }, "retry"),
              button("delHost", host, "remove"),
            ]
          : ""
      }
    </td>
  </tr>`;
}

type Fields = Readonly<Record<string, string>>;

function button(call: string, fields: Fields, label: string): Markup {
  return markup`<form method="post" action="${call}">${hidden(fields)}<button>${label}</button></form>`;
}

function addForm(of: Fields): Markup {
  return markup`<form method="post" action="addHost">
    ${hidden(of)} <input name="name" placeholder="name" aria-label="name of a new host" />
    <input name="ip" placeholder="10.0.0.1:80" aria-label="its address" required />
    <button>add host</button>
  </form>`;
}

function hidden(fields: Fields): Markup[] {
  return Object.entries(fields).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" />`,
  );
}
