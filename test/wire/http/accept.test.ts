import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { preferred } from "../../../src/wire/http/accept.ts";

const OFFERED = ["text/html", "application/json"] as const;

/** RFC 9110, 12.5.1. */
describe("HTML or JSON", () => {
  test.each([
    { story: "no field", accept: null, is: "text/html" },
    { story: "empty", accept: " ", is: "text/html" },
    {
      story: "a browser",
      accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      is: "text/html",
    },
    { story: "curl", accept: "*/*", is: "text/html" },
    { story: "a script", accept: "application/json", is: "application/json" },
    { story: "a family", accept: "application/*", is: "application/json" },
    { story: "weights", accept: "text/html;q=0.5, application/json;q=0.6", is: "application/json" },
    { story: "equals: our order", accept: "application/json, text/html", is: "text/html" },
    { story: "the narrower counts", accept: "*/*, text/html;q=0.1", is: "application/json" },
    { story: "anything but", accept: "*/*, text/html;q=0", is: "application/json" },
    { story: "neither", accept: "image/png", is: undefined },
    { story: "neither, in words", accept: "*/*;q=0", is: undefined },
    { story: "parameters", accept: "application/json;charset=utf-8;q=1", is: "application/json" },
    { story: "capitals", accept: "Application/JSON", is: "application/json" },
    {
      story: "a weight that is none",
      accept: "text/html;q=2, application/json",
      is: "application/json",
    },
  ])("$story: $accept", ({ accept, is }) => {
    expect<string | undefined>(preferred(accept, OFFERED)).toBe(is);
  });

  test("any text gets one of them or none", () => {
    fc.assert(
      fc.property(fc.string(), (accept) => {
        expect([...OFFERED, undefined]).toContain(preferred(accept, OFFERED));
      }),
    );
  });
});
