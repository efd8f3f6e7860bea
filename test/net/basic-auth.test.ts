import { beforeAll, describe, expect, test } from "bun:test";

import { BasicAuth } from "../../src/net/basic-auth.ts";

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const cheap = { algorithm: "argon2id", memoryCost: 1024, timeCost: 2 } as const;

let auth: BasicAuth;
beforeAll(async () => {
  const kim = await Bun.password.hash("s3cret:with:colons", cheap);
  const jo = await Bun.password.hash("pässword", cheap);
  auth = new BasicAuth('the "staff"', { kim, jo });
});

describe("basic auth", () => {
  test.each([
    { story: "nothing sent", header: null, want: "missing" },
    { story: "another scheme", header: "Bearer abc", want: "missing" },
    { story: "the right password", header: basic("kim:s3cret:with:colons"), want: { user: "kim" } },
    {
      story: "the scheme in any case",
      header: basic("jo:pässword").replace("Basic", "bASIC"),
      want: { user: "jo" },
    },
    { story: "a wrong password", header: basic("kim:wrong"), want: "denied" },
    { story: "somebody else's password", header: basic("jo:s3cret:with:colons"), want: "denied" },
    {
      story: "an unknown user with a known password",
      header: basic("mallory:pässword"),
      want: "denied",
    },
    { story: "an empty password", header: basic("kim:"), want: "denied" },
    { story: "no colon", header: basic("kim"), want: "denied" },
    { story: "a name of every object", header: basic("__proto__:x"), want: "denied" },
    { story: "not base64", header: "Basic !!!", want: "missing" },
    { story: "far too long", header: basic(`kim:${"x".repeat(4000)}`), want: "denied" },
  ] as const)("$story", async ({ header, want }) => {
    expect(await auth.check(header, 0)).toEqual(want);
  });

  test("a verdict is believed for a minute, then made again", async () => {
    const header = basic("kim:s3cret:with:colons");
    const started = performance.now();
    await auth.check(header, 0);
    for (let i = 0; i < 200; i++) await auth.check(header, 1);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await auth.check(header, 61_000)).toEqual({ user: "kim" });
  });

  test("many at once all get their answer", async () => {
    const checks = Array.from({ length: 20 }, (_, i) => auth.check(basic(`kim:${i}`), 0));
    expect(await Promise.all(checks)).toEqual(Array.from({ length: 20 }, () => "denied" as const));
  });

  test("the realm is quoted", () => {
    expect(auth.challenge).toBe('Basic realm="the \\"staff\\"", charset="UTF-8"');
  });

  test("a plain password in the config is refused, and not shown", () => {
    expect(() => new BasicAuth("x", { kim: "hunter2" })).toThrow("user kim: not a password hash");
  });
});
