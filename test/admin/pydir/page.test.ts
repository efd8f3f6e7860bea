import { expect, test } from "bun:test";

import { CONFIG, director } from "./director.ts";

test("the page shows everything, and has forms for those who may change it", async () => {
  const it = director({ "10.0.0.1:80": { state: "ejected", why: "refused" } });
  const full = await (
    await it.ask("running?resultMessage=host%20%3Cb%3Enot%3C/b%3E%20deleted", "root")
  ).text();
  expect(full).toContain("host not deleted");
  for (const shown of [
    "web",
    "*:8000",
    "leastconns",
    "10.0.0.2:80",
    "conn_refused since 2026-01-01",
  ])
    expect(full).toContain(shown);
  expect(full.match(/action="delHost"/g)?.length).toBe(6);
  expect(full.match(/action="enableGroup"/g)?.length).toBe(1);
  const readonly = await (await it.ask("running", "guest")).text();
  expect(readonly).toContain("10.0.0.2:80");
  expect(readonly).not.toContain("<form");
  expect(readonly).not.toContain("<button");
});

test("no name and no message becomes markup, and no script would run", async () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=y>`;
  const it = director({}, CONFIG.replace("name: two", `name: '${evil}'`));
  const response = await it.ask(`running?resultMessage=${encodeURIComponent(evil)}`, "root");
  const page = await response.text();
  expect(page).toContain("&lt;script&gt;alert(1)");
  expect(page).not.toContain("<script");
  expect(page).not.toContain("<img");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(response.headers.get("x-frame-options")).toBe("DENY");
  const wrong = await it.ask(
    `addHost?service=${encodeURIComponent(evil)}&group=a&name=b&ip=c`,
    "root",
  );
  expect(await wrong.text()).not.toContain("<script");
});

test("a form of the page is taken back: its referrer policy lets browsers say where it is from", async () => {
  const response = await director().ask("running", "root");
  expect(response.headers.get("referrer-policy")).toBe("same-origin");
});

test("it comes again by itself when that is asked for", async () => {
  const it = director();
  expect(await (await it.ask("running?refresh=1", "guest")).text()).toContain(
    'http-equiv="refresh"',
  );
  expect(await (await it.ask("running", "guest")).text()).not.toContain("http-equiv");
});

test("/pydir leads to /pydir/", async () => {
  const it = director();
  const response = await it.ask("../pydir", "guest");
  expect([response.status, response.headers.get("location")]).toEqual([302, "/pydir/"]);
  expect((await it.ask("", "guest")).status).toBe(200);
});
