import { expect } from "bun:test";

import fc from "fast-check";

import { parseClientHello } from "../../../src/wire/tls/client-hello.ts";
import { views } from "../canary.ts";
import { BUN_FETCH, CURL, OPENSSL, OPENSSL_NAMELESS } from "./captures.ts";
import { LURE, records } from "./hello.ts";

const captures = [OPENSSL, OPENSSL_NAMELESS, CURL, BUN_FETCH].map((t) => Uint8Array.fromHex(t));
const capture = fc.constantFrom(...captures);

export const sameInAnyRecords = fc.property(
  capture,
  fc.integer({ min: 1, max: 600 }),
  (bytes, size) => {
    expect(parseClientHello(records(bytes.subarray(5), size))).toEqual(parseClientHello(bytes));
  },
);

const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });

export const readsOnlyItsBytes = fc.property(capture, changes, fc.nat(), (bytes, list, length) => {
  const changed = bytes.slice(0, length % bytes.length || undefined);
  for (const [at, byte] of list) changed[at % changed.length] = byte;
  const first = parseClientHello(changed);
  for (const view of views(changed, LURE)) expect(parseClientHello(view)).toEqual(first);
  if (first === undefined || first === "incomplete") return;
  expect(first.serverName ?? "a").toMatch(/^[a-z0-9._-]+$/);
  expect(first.alpn).not.toContain("");
});
