import { expect, test } from "bun:test";

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";

import { noisePrimitives as primitives } from "../../../src/net/aead/noise-primitives.ts";
import { readFirst, readSecond, writeFirst, writeSecond } from "../../../src/wire/noise/ik.ts";
import { keysOf } from "../../../src/wire/noise/primitives.ts";
import { NOISE_NAME, WIREGUARD } from "../../../src/wire/noise/protocol.ts";
import { Transcript } from "../../../src/wire/noise/transcript.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const show = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s of haskell-cryptography/cacophony (public domain). */
const VECTOR = {
  prologue: "4a6f686e2047616c74",
  psk: "54686973206973206d7920417573747269616e20706572737065637469766521",
  initiator: {
    staticKey: "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    ephemeral: "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
  },
  responder: {
    staticKey: "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    publicKey: "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
    ephemeral: "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
  },
  hash: "f5191b875290abcd41347ac3622d9679688a7e980229cb937ef748336cfde0e5",
  first: {
    payload: "4c756477696720766f6e204d69736573",
    message:
      "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944001e21de9f98ddd8e2ad57527207feb56253c9c94a9e496782ecfcb2a75fbcaf1b52948cc48daefe660c62119ab5000980c84831215f2441eba616548e832985464cf17e51ee93109008399a21f7e13f",
  },
  second: {
    payload: "4d757272617920526f746862617264",
    message:
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843cb765f2caef0751b8f007572dab0322217755c0632f365717edbf34d33e87a",
  },
  /** What follows, in turns, the initiator first. */
  transport: [
    ["462e20412e20486179656b", "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7"],
    ["4361726c204d656e676572", "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef"],
    [
      "4a65616e2d426170746973746520536179",
      "6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d",
    ],
    [
      "457567656e2042f6686d20766f6e2042617765726b",
      "dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80ebc7a4c292",
    ],
  ],
} as const;

test("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, every message and the hash", () => {
  const { initiator, responder, first, second } = VECTOR;
  const prologue = hex(VECTOR.prologue);
  const psk = hex(VECTOR.psk);
  const a = keysOf(primitives, hex(initiator.staticKey));
  const b = keysOf(primitives, hex(responder.staticKey));
  expect(show(b.publicKey)).toBe(responder.publicKey);
  const staticStatic = primitives.agree(a.privateKey, b.publicKey) ?? new Uint8Array();

  const begun = writeFirst(
    primitives,
    prologue,
    a,
    { publicKey: b.publicKey, staticStatic },
    keysOf(primitives, hex(initiator.ephemeral)),
    hex(first.payload),
  );
  expect(show(begun?.message)).toBe(first.message);

  const read = readFirst(primitives, prologue, b, hex(first.message), (publicKey) =>
    show(publicKey) === show(a.publicKey) ? { staticStatic } : undefined,
  );
  expect(show(read?.payload)).toBe(first.payload);
  if (begun === undefined || read === undefined) throw new Error("no handshake");

  const ephemeral = keysOf(primitives, hex(responder.ephemeral));
  const answer = writeSecond(primitives, read, ephemeral, psk, hex(second.payload));
  expect(show(answer)).toBe(second.message);

  const done = readSecond(primitives, a, begun, psk, hex(second.message));
  expect(show(done?.payload)).toBe(second.payload);
  expect(show(done?.transcript.hash)).toBe(VECTOR.hash);
  expect(show(read.transcript.hash)).toBe(VECTOR.hash);

  const keys = done?.transcript.split() ?? [];
  expect(read.transcript.split().map(show)).toEqual(keys.map(show));
  for (const [i, [payload, ciphertext]] of VECTOR.transport.entries()) {
    const nonce = new Uint8Array(12);
    nonce[4] = Math.floor(i / 2);
    const key = keys[i % 2] ?? new Uint8Array();
    expect(show(chacha20poly1305(key, nonce).encrypt(hex(payload)))).toBe(ciphertext);
  }
});

test("WireGuard's beginning is the one that every WireGuard has", () => {
  // The constants of the Linux driver and of boringtun.
  expect(show(primitives.hash(NOISE_NAME))).toBe(
    "60e26daef327efc02ec335e2a025d2d016eb4206f87277f52d38d1988b78cd36",
  );
  expect(show(new Transcript(primitives, WIREGUARD.identifier).hash)).toBe(
    "2211b361081ac566691243db458ad5322d9c6c662293e8b70ee19c65ba079ef3",
  );
});

test("BLAKE2s: RFC 7693 (appendix B, and the self test of appendix E)", () => {
  expect(show(primitives.hash(Buffer.from("abc")))).toBe(
    "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
  );
  expect(show(primitives.mac(sequence(32), sequence(3)))).toBe(
    show(blake2s(sequence(3), { key: sequence(32), dkLen: 16 })),
  );
  // Appendix E: digests of four sizes over six lengths, without and with a key, hashed once more.
  const all = [16, 20, 28, 32].flatMap((dkLen) =>
    [0, 3, 64, 65, 255, 1024].flatMap((length) => [
      blake2s(sequence(length), { dkLen }),
      blake2s(sequence(length), { dkLen, key: sequence(dkLen) }),
    ]),
  );
  expect(show(primitives.hash(...all))).toBe(
    "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe",
  );
  // Made with Python's hmac and hashlib.
  expect(show(primitives.hmac(new Uint8Array(32).fill(0x6b), Buffer.from("data")))).toBe(
    "1b3b81abdc97a097da15fce4e261a1199ad81f9aa193a97a3eaeb4d770bbf6dd",
  );
});

/** The numbers of appendix E. */
function sequence(length: number): Uint8Array {
  const out = new Uint8Array(length);
  let [a, b] = [Math.imul(0xdead4bad, length) >>> 0, 1];
  for (let i = 0; i < length; i++) {
    [a, b] = [b, (a + b) >>> 0];
    out[i] = b >>> 24;
  }
  return out;
}

test("ChaCha20-Poly1305 and X25519: a nonce of zeros, and keys of small order", () => {
  const key = hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
  const sealed = primitives.seal(key, hex("00ff"), hex("aa"));
  expect(show(primitives.open(key, sealed, hex("aa")))).toBe("00ff");
  expect(primitives.open(key, sealed, hex("ab"))).toBeUndefined();
  expect(primitives.agree(key, new Uint8Array(32))).toBeUndefined();
});
