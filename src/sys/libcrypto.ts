import { dlopen, type Pointer } from "bun:ffi";

import { type Block, block, pointer } from "./memory.ts";

/** OpenSSL 3: what every distribution of today has, if it has one. */
const NAME = "libcrypto.so.3";

const SYMBOLS = {
  EVP_aes_256_gcm: { args: [], returns: "ptr" },
  EVP_chacha20_poly1305: { args: [], returns: "ptr" },
  EVP_CIPHER_CTX_new: { args: [], returns: "ptr" },
  EVP_CIPHER_CTX_free: { args: ["ptr"], returns: "void" },
  EVP_CIPHER_CTX_ctrl: { args: ["ptr", "i32", "i32", "ptr"], returns: "i32" },
  EVP_CIPHER_CTX_set_params: { args: ["ptr", "ptr"], returns: "i32" },
  EVP_Cipher: { args: ["ptr", "ptr", "ptr", "u32"], returns: "i32" },
  EVP_CipherInit_ex: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
  EVP_CipherUpdate: { args: ["ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
  EVP_CipherFinal_ex: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
} as const;
/** The functions of libcrypto that are used here. */
export type Libcrypto = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

// openssl/evp.h
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;
const ENCRYPT = 1;
const DECRYPT = 0;
const UNCHANGED = -1;

const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const NULL = pointer(0);

type CipherName = "aes-256-gcm" | "chacha20-poly1305";

let opened: Libcrypto | null | undefined;

/** Null where there is none. */
export function libcrypto(): Libcrypto | null {
  opened ??= open();
  return opened;
}

/**
 * A context of one key for one direction, its tables made once (EVP_CIPHER_CTX). Null where libcrypto
 * is not let do this (FIPS has no ChaCha20).
 */
export function newContext(
  lib: Libcrypto,
  name: CipherName,
  key: Uint8Array,
  sealing: boolean,
): Pointer | null {
  if (key.length !== KEY_SIZE) throw new RangeError(`a key has ${KEY_SIZE} bytes`);
  const context = lib.EVP_CIPHER_CTX_new() as Pointer | null; // "ptr" is never a bigint
  if (context === null) return null;
  const cipher = name === "aes-256-gcm" ? lib.EVP_aes_256_gcm() : lib.EVP_chacha20_poly1305();
  const copy = block(KEY_SIZE);
  copy.bytes.set(key);
  const direction = sealing ? ENCRYPT : DECRYPT;
  const done = lib.EVP_CipherInit_ex(context, cipher, NULL, pointer(copy.at), NULL, direction);
  copy.bytes.fill(0);
  if (done === 1) return context;
  lib.EVP_CIPHER_CTX_free(context);
  return null;
}

/** Undefined where there is no libcrypto, or one that is not let do this. */
export function chachaContext(key: Uint8Array, sealing: boolean): ChachaContext | undefined {
  const lib = libcrypto();
  const context = lib && newContext(lib, "chacha20-poly1305", key, sealing);
  return lib === null || context === null ? undefined : new ChachaContext(lib, context);
}

/**
 * One key in one direction. Nothing is allocated by `seal` and `open`. The nonce is WireGuard's: four
 * zero bytes, then the counter, lowest byte first. Where the lengths do not fit into the blocks a
 * RangeError says so: libcrypto would not.
 */
export class ChachaContext {
  readonly #lib: Libcrypto;
  /** Null once it is freed. */
  #context: Pointer | null;
  readonly #nonce: Block = block(NONCE_SIZE);
  readonly #nonceAt: Pointer;
  /** Where libcrypto says how much it wrote, and the end of a message, which is empty. */
  readonly #scratch: Block = block(32);
  readonly #lengthAt: Pointer;
  readonly #endAt: Pointer;

  constructor(lib: Libcrypto, context: Pointer) {
    this.#lib = lib;
    this.#context = context;
    this.#nonceAt = pointer(this.#nonce.at);
    this.#lengthAt = pointer(this.#scratch.at);
    this.#endAt = pointer(this.#scratch.at + 8);
  }

  /** See net/aead/aead.ts. */
  seal(counter: number, memory: Block, at: number, length: number): void {
    checkRoom(memory, at, length + TAG_SIZE);
    const text = memory.at + at;
    this.#begin(counter);
    if (length > 0) this.#update(text, text, length);
    const lib = this.#lib;
    lib.EVP_CipherFinal_ex(this.#context, this.#endAt, this.#lengthAt);
    const tag = pointer(text + length);
    lib.EVP_CIPHER_CTX_ctrl(this.#context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag);
  }

  /** See net/aead/aead.ts. */
  open(
    counter: number,
    memory: Block,
    at: number,
    length: number,
    to: Block,
    toAt: number,
  ): boolean {
    checkRoom(memory, at, length + TAG_SIZE);
    checkRoom(to, toAt, length);
    const text = memory.at + at;
    this.#begin(counter);
    if (length > 0) this.#update(to.at + toAt, text, length);
    const lib = this.#lib;
    const tag = pointer(text + length);
    lib.EVP_CIPHER_CTX_ctrl(this.#context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag);
    return lib.EVP_CipherFinal_ex(this.#context, this.#endAt, this.#lengthAt) === 1;
  }

  /** The key is wiped, and nothing can be sealed or opened any more. */
  free(): void {
    if (this.#context !== null) this.#lib.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
  }

  #begin(counter: number): void {
    if (this.#context === null) throw new Error("the key is gone");
    const { view } = this.#nonce;
    view.setUint32(4, counter >>> 0, true);
    view.setUint32(8, Math.floor(counter / 2 ** 32), true);
    const lib = this.#lib;
    lib.EVP_CipherInit_ex(this.#context, NULL, NULL, NULL, this.#nonceAt, UNCHANGED);
  }

  #update(to: number, from: number, length: number): void {
    this.#lib.EVP_CipherUpdate(this.#context, pointer(to), this.#lengthAt, pointer(from), length);
  }
}

/** Throws a RangeError where `length` bytes at `at` are not in `where`. */
export function checkRoom(where: Block, at: number, length: number): void {
  if (at < 0 || length < 0 || at + length > where.bytes.length)
    throw new RangeError(`${at}+${length} of ${where.bytes.length} bytes`);
}

function open(): Libcrypto | null {
  try {
    return dlopen(NAME, SYMBOLS).symbols;
  } catch {
    return null; // not on this machine
  }
}
