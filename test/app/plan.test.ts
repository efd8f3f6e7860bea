import { expect, test } from "bun:test";

import { plan } from "../../src/app/plan.ts";
import { Secret } from "../../src/config/secret.ts";

const SERVICES = [{ name: "web" }, { name: "dns" }, { name: "zones", rereads: true }];

test.each([
  { story: "a new section", old: {}, next: { dns: { ttl: 1 } }, steps: ["start dns"] },
  { story: "no change", old: { dns: { ttl: 1 } }, next: { dns: { ttl: 1 } }, steps: [] },
  { story: "one key", old: { dns: { ttl: 1 } }, next: { dns: { ttl: 2 } }, steps: ["replace dns"] },
  { story: "a section gone", old: { dns: {}, web: {} }, next: { web: {} }, steps: ["stop dns"] },
  {
    story: "another secret behind the same reference",
    old: { web: { users: [{ password: new Secret("a", "env:P") }] } },
    next: { web: { users: [{ password: new Secret("b", "env:P") }] } },
    steps: ["replace web"],
  },
  { story: "what nobody offers", old: {}, next: { mail: {} }, steps: [] },
  {
    story: "the same words, but they name files",
    old: { zones: { a: 1 } },
    next: { zones: { a: 1 } },
    steps: ["replace zones"],
  },
  { story: "files nobody names", old: {}, next: {}, steps: [] },
])("$story", ({ old, next, steps }) => {
  const got = plan(SERVICES, old, next).map((s) => `${s.act} ${s.service}`);
  expect(got).toEqual([...steps]);
});

test("a change of one thing leaves alone what only a reload reads again", () => {
  expect(plan(SERVICES, { zones: { a: 1 } }, { zones: { a: 1 } }, "changed only")).toEqual([]);
  const steps = plan(SERVICES, { zones: { a: 1 } }, { zones: { a: 2 } }, "changed only");
  expect(steps).toEqual([{ service: "zones", act: "replace" }]);
});
