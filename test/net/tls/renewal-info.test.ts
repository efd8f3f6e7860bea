import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  askRenewalInfo,
  certificateId,
  readWindow,
  timeIn,
  waitFor,
} from "../../../src/net/tls/renewal-info.ts";
import { certificate } from "../../fake/certificate.ts";

/** RFC 9773, appendix A. */
const EXAMPLE = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`;

describe("what a CA calls a certificate", () => {
  test("its issuer's key and its serial, which begins with a zero where it would be negative", async () => {
    expect(await certificateId(EXAMPLE)).toBe("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  });

  test("a certificate that does not name its issuer's key has none", async () => {
    const { cert } = await certificate({ names: ["a.example"] });
    expect(certificateId(cert)).rejects.toThrow("no issuer's key");
  });
});

const [START, END] = ["2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z"];

describe("the window a CA suggests", () => {
  const window = { start: START, end: END };
  test.each([
    {
      story: "a window",
      body: { suggestedWindow: window },
      read: { start: Date.parse(START), end: Date.parse(END), why: undefined },
    },
    {
      story: "with a page that says why",
      body: { suggestedWindow: window, explanationURL: "https://ca.example/" },
      read: { start: Date.parse(START), end: Date.parse(END), why: "https://ca.example/" },
    },
    { story: "that ends before it begins", body: { suggestedWindow: { start: END, end: START } } },
    { story: "without an end", body: { suggestedWindow: { start: START } } },
    { story: "of something else", body: { suggestedWindow: { start: "soon", end: "later" } } },
    { story: "of numbers", body: { suggestedWindow: { start: 1, end: 2 } } },
    { story: "that is null", body: { suggestedWindow: null } },
    { story: "none", body: {} },
    { story: "no object", body: "now" },
    { story: "null", body: null },
  ])("$story", ({ body, read }) => expect(readWindow(body)).toEqual(read));

  test("whatever comes, it is a window or none", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const read = readWindow(body);
        expect(read === undefined || read.start < read.end).toBe(true);
      }),
    );
  });
});

const NOW = Date.parse("2026-11-01T00:00:00Z");

test.each([
  { story: "seconds", text: "7200", minutes: 120 },
  { story: "a date", text: "Sun, 01 Nov 2026 01:00:00 GMT", minutes: 60 },
  { story: "a date that is over: a minute all the same", text: START, minutes: 1 },
  { story: "at once: a minute all the same", text: "0", minutes: 1 },
  { story: "next year: a day will do", text: "31536000", minutes: 24 * 60 },
  { story: "nothing", text: null, minutes: 6 * 60 },
  { story: "nonsense", text: "later", minutes: 6 * 60 },
])("to be asked again: $story", ({ text, minutes }) =>
  expect(waitFor(text, NOW)).toBe(minutes * 60_000),
);

test("times are spread over the window, the same for one certificate, and never at its very end", () => {
  const life = { notBefore: 0, notAfter: 1000 };
  const window = { start: 400, end: 500, why: undefined };
  const times = Array.from({ length: 200 }, (_, i) => timeIn(window, `id${i}`, life));
  expect(times).toEqual(Array.from({ length: 200 }, (_, i) => timeIn(window, `id${i}`, life)));
  expect(times.every((time) => time >= 400 && time < 500)).toBe(true);
  for (const from of [400, 425, 450, 475])
    expect(times.some((time) => time >= from && time < from + 25)).toBe(true);
  expect(timeIn({ ...window, start: 2000, end: 3000 }, "id", life)).toBe(950);
});

/** A body without an end. */
function endless(): Response {
  const piece = new Uint8Array(100_000).fill(0x20); // JSON may begin with any number of spaces
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(piece) }));
}

describe("a CA is asked", () => {
  test.each([
    { story: "that says", directory: undefined, advice: undefined, why: undefined },
    { story: "whose directory has no end", directory: endless, advice: undefined, why: "longer" },
    { story: "whose advice has no end", directory: undefined, advice: endless, why: "longer" },
  ])("$story", async ({ directory, advice, why }) => {
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ url }) {
        const { pathname, origin } = new URL(url);
        if (pathname === "/dir")
          return directory?.() ?? Response.json({ renewalInfo: `${origin}/renewal` });
        const suggestedWindow = { start: START, end: END };
        const headers = { "retry-after": "7200" };
        return advice?.() ?? Response.json({ suggestedWindow }, { headers });
      },
    });
    const ca = { directory: `${server.url}dir`, email: undefined, root: undefined };
    const asked = askRenewalInfo(ca, EXAMPLE, NOW);
    if (why !== undefined) {
      expect(asked).rejects.toThrow(why);
      await asked.catch(() => {});
    } else
      expect(await asked).toEqual({
        id: "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
        window: { start: Date.parse(START), end: Date.parse(END), why: undefined },
        wait: 120 * 60_000,
      });
  });
});
