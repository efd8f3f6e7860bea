import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";

import fc from "fast-check";

import { ROOT } from "../../../src/wire/dns/name.ts";
import { Query, readQuery } from "../../../src/wire/dns/query.ts";
import {
  BADSIG,
  parseTsig,
  TSIG_ALGORITHMS,
  tsigError,
  type TsigKey,
  tsigKey,
  TsigSigner,
  tsigTime,
  TsigVerifier,
} from "../../../src/wire/dns/tsig.ts";
import { RCODE } from "../../../src/wire/dns/types.ts";
import { views } from "../canary.ts";
import queries from "./golden/queries.json";

const SECRET = new TextEncoder().encode("secretsecretsecretsecret");
const key = made("hmac-sha256");

function made(algorithm: string, secret = SECRET): TsigKey {
  const made = tsigKey("key1.", algorithm, secret);
  if (made === undefined) throw new Error(`no key of ${algorithm}`);
  return made;
}

const tsigAt = (message: Uint8Array) => {
  const query = new Query();
  readQuery(message, 0, message.length, query);
  return query.tsigAt;
};

/** The message with the record behind it, counted. */
function signed(message: Uint8Array, record: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from([...message, ...record]);
  bytes[11] = (bytes[11] ?? 0) + 1;
  return bytes;
}

const QUESTION = Uint8Array.fromHex("12340000000100000000000001610000010001");
const NOW = 1_795_350_540;

describe("requests that dig and kdig signed", () => {
  const theirs = queries.filter(({ asked }) => asked.includes(" -y "));
  test.each(theirs)("$asked", ({ hex, at }) => {
    const message = Uint8Array.fromHex(hex);
    const tsig = parseTsig(message, tsigAt(message));
    expect(new TsigVerifier(key).verify(message, tsig, tsigAt(message), at)).toBe("good");
    expect(new TsigVerifier(made("hmac-sha1")).verify(message, tsig, tsigAt(message), at)).toBe(
      RCODE.BADKEY,
    );
    expect(
      new TsigVerifier(made("hmac-sha256", SECRET.slice(1))).verify(
        message,
        tsig,
        tsigAt(message),
        at,
      ),
    ).toBe(BADSIG);
    expect(new TsigVerifier(key).verify(message, tsig, tsigAt(message), at + 301)).toBe(
      RCODE.BADTIME,
    );
  });
  test("there are two", () => expect(theirs).toHaveLength(2));
});

describe("both sides", () => {
  test.each(Object.keys(TSIG_ALGORITHMS))(
    "%s: a request, and an answer of three messages",
    (algorithm) => {
      const shared = made(algorithm);
      const client = new TsigSigner(shared);
      const request = signed(QUESTION, client.sign(QUESTION, NOW));
      const server = new TsigVerifier(shared);
      const tsig = parseTsig(request, 19);
      expect(server.verify(request, tsig, 19, NOW + 5)).toBe("good");

      const answers = [1, 2, 3].map((id) => Uint8Array.of(0x12, id, ...QUESTION.subarray(2)));
      const signer = new TsigSigner(shared, tsig?.mac);
      const reader = new TsigVerifier(shared, client.mac);
      for (const answer of answers) {
        const whole = signed(answer, signer.sign(answer, NOW + 1));
        expect(reader.verify(whole, parseTsig(whole, 19), 19, NOW)).toBe("good");
        expect(reader.signed).toBe(true);
      }
      // Out of its order, the last one is no good.
      const late = signed(QUESTION, new TsigSigner(shared, tsig?.mac).sign(QUESTION, NOW));
      expect(reader.verify(late, parseTsig(late, 19), 19, NOW)).toBe(BADSIG);
    },
  );

  test("the first of a transfer is signed, and at least each hundredth", () => {
    const reader = new TsigVerifier(key, Uint8Array.of(1));
    expect(reader.verify(QUESTION, undefined, 0, NOW)).toBe(RCODE.FORMERR);
    const signer = new TsigSigner(key, Uint8Array.of(1));
    const again = new TsigVerifier(key, Uint8Array.of(1));
    const first = signed(QUESTION, signer.sign(QUESTION, NOW));
    expect(again.verify(first, parseTsig(first, 19), 19, NOW)).toBe("good");
    for (let i = 0; i < 99; i++) expect(again.verify(QUESTION, undefined, 0, NOW)).toBe("good");
    expect(again.signed).toBe(false);
    expect(again.verify(QUESTION, undefined, 0, NOW)).toBe(RCODE.FORMERR);
  });

  test("what went unsigned is covered by the next signature", () => {
    const signer = new TsigSigner(key, Uint8Array.of(1));
    const reader = new TsigVerifier(key, Uint8Array.of(1));
    const first = signed(QUESTION, signer.sign(QUESTION, NOW));
    reader.verify(first, parseTsig(first, 19), 19, NOW);
    const unsigned = [1, 2].map((id) => Uint8Array.of(id, ...QUESTION.subarray(1)));
    for (const message of unsigned) reader.verify(message, undefined, 0, NOW);

    // 5.3.1: the MAC before with its length, all messages since, the times.
    const hmac = createHmac("sha256", SECRET).update(Uint8Array.of(0, 32)).update(signer.mac);
    for (const message of [...unsigned, QUESTION]) hmac.update(message);
    hmac.update(tsigTime(NOW)).update(Uint8Array.of(1, 44));
    const last = signed(QUESTION, signer.sign(QUESTION, NOW));
    const tsig = parseTsig(last, 19);
    const over = tsig && { ...tsig, mac: new Uint8Array(hmac.digest()) };
    expect(reader.verify(last, over, 19, NOW)).toBe("good");
  });

  test("the id that was signed counts, not the one a forwarder gave", () => {
    const request = signed(QUESTION, new TsigSigner(key).sign(QUESTION, NOW));
    request[0] = 0xff;
    expect(new TsigVerifier(key).verify(request, parseTsig(request, 19), 19, NOW)).toBe("good");
  });

  test("an answer to a clock that is wrong says our time", () => {
    const record = new TsigSigner(key).sign(QUESTION, NOW, RCODE.BADTIME, tsigTime(NOW + 9));
    const tsig = parseTsig(signed(QUESTION, record), 19);
    expect([tsig?.error, tsig?.other]).toEqual([RCODE.BADTIME, tsigTime(NOW + 9)]);
  });

  test("an answer to a wrong signature has none", () => {
    const request = signed(QUESTION, new TsigSigner(key).sign(QUESTION, NOW));
    const tsig = parseTsig(request, 19);
    const answer = tsig && parseTsig(signed(QUESTION, tsigError(tsig, BADSIG)), 19);
    expect([answer?.error, answer?.mac.length, answer?.name]).toEqual([BADSIG, 0, key.name]);
  });

  test.each([
    { story: "cut to a half", length: 16, verdict: RCODE.BADTRUNC },
    { story: "cut to less", length: 15, verdict: RCODE.FORMERR },
    { story: "nothing left", length: 0, verdict: RCODE.FORMERR },
  ])("a signature, $story", ({ length, verdict }) => {
    const request = signed(QUESTION, new TsigSigner(key).sign(QUESTION, NOW));
    const tsig = parseTsig(request, 19);
    const cut = tsig && { ...tsig, mac: tsig.mac.slice(0, length) };
    expect(new TsigVerifier(key).verify(request, cut, 19, NOW)).toBe(verdict);
  });
});

test.each([
  { name: "key1.", algorithm: "HMAC-SHA512.", good: true },
  { name: "key1", algorithm: "hmac-md5", good: false },
  { name: "a..b", algorithm: "hmac-sha256", good: false },
  { name: "key1", algorithm: "toString", good: false },
])("a key $name of $algorithm: $good", ({ name, algorithm, good }) => {
  expect(tsigKey(name, algorithm, SECRET) !== undefined).toBe(good);
});

test("no bit of what is signed may be changed", () => {
  const request = signed(QUESTION, new TsigSigner(key).sign(QUESTION, NOW));
  // The id, for which the original one counts, and the case of the key's and the algorithm's names.
  const free = (byte: number, bit: number) =>
    byte < 2 || (bit === 5 && ((byte >= 19 && byte < 25) || (byte >= 35 && byte < 48)));
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.nat(7), (byte, bit) => {
      const bent = request.slice();
      bent[byte] = (bent[byte] ?? 0) ^ (1 << bit);
      const tsig = parseTsig(bent, 19);
      if (tsig === undefined || free(byte, bit)) return;
      expect(new TsigVerifier(key).verify(bent, tsig, 19, NOW)).not.toBe("good");
    }),
  );
});

test("only its bytes count", () => {
  const request = signed(QUESTION, new TsigSigner(key).sign(QUESTION, NOW));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.nat(80),
      (changes, cut) => {
        const bytes = request.slice(0, 19 + cut);
        for (const [at, byte] of changes) bytes[19 + (at % (bytes.length - 18))] = byte;
        const first = parseTsig(bytes, 19);
        for (const view of views(bytes, "\0\0\xfa\0\xff"))
          expect(parseTsig(view, 19)).toEqual(first);
      },
    ),
  );
  expect(parseTsig(ROOT, 0)).toBeUndefined();
});
