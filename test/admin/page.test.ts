import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import { adminApp } from "../../src/admin/app.ts";
import { ANN, type App, BOB, caller, fakeDeps, logIn, PASSWORD } from "./fake-deps.ts";

const nobody = () => ({ users: [], hosts: [] });
const tcp = caller("loopback");
const form = (
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
  body: new URLSearchParams(fields).toString(),
});
async function page(app: App, headers: Record<string, string> = {}, on = tcp): Promise<string> {
  const response = await app.request("/", { headers }, on);
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    "text/html; charset=utf-8",
  ]);
  return response.text();
}

test("a stranger sees what this is and a form, nothing of the state", async () => {
  const html = await page(adminApp(fakeDeps().deps));
  expect(html).toContain("Version 1.2.3");
  expect(html).toContain('action="/api/v1/login"');
  expect(html).not.toContain("uptime");
  expect(html).not.toContain(ANN.name);
});

test("who may look sees the state, escaped, and where the API is", async () => {
  for (const html of [
    await page(adminApp(fakeDeps({ access: nobody }).deps)),
    await page(adminApp(fakeDeps().deps), {}, caller("unix")),
  ]) {
    const dense = html.replaceAll(/>\s+</g, "><");
    expect(dense).toContain("<dt>uptime</dt><dd>5</dd>");
    expect(dense).toContain("<dt>&lt;odd&gt;</dt><dd>&quot;&amp;</dd>");
    expect(html).toContain('href="/api/v1/openapi.json"');
  }
});

test("its style is the one the policy allows, and there is no script", async () => {
  const response = await adminApp(fakeDeps().deps).request("/", {}, tcp);
  const html = await response.text();
  const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(response.headers.get("content-security-policy")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
  expect(html).not.toMatch(/<script|\son\w+=|\sstyle=|javascript:/i);
});

describe("by its forms", () => {
  test("log in, see the state, log out", async () => {
    const app = adminApp(fakeDeps().deps);
    const login = await app.request(
      "/api/v1/login",
      form({ name: "bob", password: PASSWORD.bob }),
      tcp,
    );
    expect([login.status, login.headers.get("location")]).toEqual([303, "/"]);
    const Cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
    const html = await page(app, { Cookie });
    expect(html).toContain(`You are ${BOB.name}, and may look.`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const logout = await app.request("/api/v1/logout", form({ csrf }, { Cookie }), tcp);
    expect(logout.status).toBe(303);
    expect(await page(app, { Cookie })).toContain('action="/api/v1/login"');
  });

  test("a wrong password is said on the page, and waited for", async () => {
    const app = adminApp(fakeDeps().deps);
    const wrong = form({ name: "ann", password: "x" });
    const first = await app.request("/api/v1/login", wrong, tcp);
    expect(first.status).toBe(401);
    expect(await first.text()).toContain("No user has this name and password.");
    for (let n = 0; n < 4; n++) await app.request("/api/v1/login", wrong, tcp);
    const wait = await app.request("/api/v1/login", wrong, tcp);
    expect([wait.status, wait.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await wait.text()).toContain("Try again in 1 s.");
  });

  test("a session that has run out leads back to the form", async () => {
    const { deps, clock } = fakeDeps();
    const app = adminApp(deps);
    const { cookie } = await logIn(app, "ann");
    await clock.advance(31 * 60_000);
    expect(await page(app, { Cookie: cookie })).toContain('action="/api/v1/login"');
  });
});
