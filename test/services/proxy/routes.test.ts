import { describe, expect, test } from "bun:test";

import * as v from "valibot";

import { proxySchema, type RouteConfig } from "../../../src/services/proxy/config.ts";
import { Routes } from "../../../src/services/proxy/routes.ts";

function table(...routes: object[]): readonly RouteConfig[] {
  const all = routes.map((route) => ({ pool: "p", ...route }));
  return v.parse(proxySchema, { edge: { routes: all } })["edge"]?.routes ?? [];
}

describe("the most exact host, then the longest path, then the file's order", () => {
  const routes = table(
    { host: "*" },
    { host: "*", path: "/api/" },
    { host: "*.example.net" },
    { host: "*.b.example.net", path: "/x/" },
    { host: "www.example.net", path: "/api/" },
    { host: "www.example.net", path: "/api/v2/", methods: ["GET", "HEAD"] },
    { host: "only.example.net", path: "/api/" },
    { host: "twice.example.net", methods: ["GET"] },
    { host: "twice.example.net" },
  );
  const found = new Routes(routes);
  test.each([
    { host: "else.example", path: "/", at: 0 },
    { host: "", path: "/api/x", at: 1 },
    { host: "else.example", path: "/api", at: 0 },
    { host: "a.example.net", path: "/api/", at: 2 },
    { host: "example.net", path: "/", at: 0 },
    { host: "c.b.example.net", path: "/x/y", at: 3 },
    { host: "c.b.example.net", path: "/y", at: 2 },
    { host: "www.example.net", path: "/api/v1", at: 4 },
    { host: "www.example.net", path: "/api/v2/", at: 5 },
    { host: "www.example.net", path: "/api/v2/", method: "POST", at: 4 },
    { host: "www.example.net", path: "/", at: 2 },
    { host: "only.example.net", path: "/", at: 2 },
    { host: "twice.example.net", path: "/", at: 7 },
    { host: "twice.example.net", path: "/", method: "POST", at: 8 },
    { host: ".example.net", path: "/", at: 0 },
  ])("$method $host $path: route $at", ({ host, path, method = "GET", at }) => {
    expect(found.find({ host, path, method, headers: new Headers() })).toBe(
      routes[at] as RouteConfig,
    );
  });
});

test("nothing fits", () => {
  const found = new Routes(table({ host: "a", path: "/x" }));
  const asked = { host: "a", path: "/x", method: "GET", headers: new Headers() };
  expect(found.find({ ...asked, path: "/y" })).toBeUndefined();
  expect(found.find({ ...asked, host: "b" })).toBeUndefined();
});
