import { expect, test } from "bun:test";

import fc from "fast-check";

import { routeOf } from "../../../../src/services/balance/tls/routes.ts";

const sni = { "a.example": "a", "*.b.example": "b", "*.deep.b.example": "deep" };

test.each<{ asks: string | undefined; offers?: string[]; rest?: string; to: string | undefined }>([
  { asks: "a.example", to: "a" },
  { asks: "x.a.example", to: undefined },
  { asks: "x.b.example", to: "b" },
  { asks: "y.x.b.example", to: "b" },
  { asks: "b.example", to: undefined },
  { asks: "x.deep.b.example", to: "deep" },
  { asks: "deep.b.example", to: "b" },
  { asks: undefined, to: undefined },
  { asks: "else.example", rest: "rest", to: "rest" },
  { asks: undefined, rest: "rest", to: "rest" },
  { asks: "a.example", offers: ["h2", "acme-tls/1"], to: "acme" },
  { asks: "a.example", offers: ["h2"], to: "a" },
  { asks: "constructor", to: undefined },
  { asks: "a.example", offers: ["__proto__", "toString"], to: "a" },
])("asking for $asks, offering $offers, comes to $to", ({ asks, offers = [], rest, to }) => {
  const table = {
    sni: { ...sni, ...(rest !== undefined && { "*": rest }) },
    alpn_routes: { "acme-tls/1": "acme" },
  };
  expect(routeOf({ serverName: asks, alpn: offers }, table)).toBe(to);
});

test("whatever is asked for comes to a group of the table, or to none", () => {
  const name = fc.array(fc.constantFrom("a", "b", "example", "deep", "x"), { maxLength: 5 });
  fc.assert(
    fc.property(name, fc.array(fc.string()), (labels, alpn) => {
      const found = routeOf({ serverName: labels.join("."), alpn }, { sni, alpn_routes: {} });
      expect([undefined, "a", "b", "deep"]).toContain(found);
    }),
  );
});
