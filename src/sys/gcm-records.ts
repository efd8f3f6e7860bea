import type { Pointer } from "bun:ffi";

import { openLibc } from "./libc.ts";
import { checkRoom, type Libcrypto, libcrypto, newContext } from "./libcrypto.ts";
import { type Block, block, pointer } from "./memory.ts";

// What it returns is of no use, and numbers of 64 bits are slow ones.
const libc = openLibc({ memcpy: { args: ["ptr", "ptr", "i32"], returns: "void" } });

// openssl/evp.h, openssl/core.h, openssl/core_names.h
const evp = { setWholeIv: 0x12, whole: -1, octets: 5, additional: "tlsaad" };

/** Sizes of a record (RFC 5288): what stands in front of the text, and behind it. */
const record = { nonce: 8, tag: 16, implicit: 4, additional: 13 };

/** What is authenticated besides: here is room for it, and TLS has some. The rest is the length of nothing. */
export const gcmAdditional = "tern tunnel\0\0";

/** Undefined where there is no libcrypto, or one that does no records. */
export function gcmRecords(key: Uint8Array, sealing: boolean): GcmRecords | undefined {
  const lib = libcrypto();
  const context = lib && newContext(lib, "aes-256-gcm", key, sealing);
  if (lib === null || context === null) return undefined;
  const made = new GcmRecords(lib, context, sealing);
  if (made.ready) return made;
  made.free();
  return undefined;
}

/**
 * AES-256-GCM as libcrypto does it for the records of TLS 1.2: two calls for each message instead of
 * five, and none of them looks for algorithms. In front of the text stand eight bytes of the nonce,
 * which are our counter, highest byte first; libcrypto counts on by itself and writes them.
 */
export class GcmRecords {
  readonly ready: boolean;
  readonly #lib: Libcrypto;
  /** Null once it is freed. */
  #context: Pointer | null;
  /** The counter that libcrypto takes next: of use to a sealer. */
  #next = 0;
  readonly #nonce: Block = block(record.implicit + record.nonce);
  readonly #name: Block = block(8);
  readonly #additional: Block = block(16);
  readonly #params: Block = block(80);
  readonly #paramsAt: Pointer;

  /** Ask `ready` before use. */
  constructor(lib: Libcrypto, context: Pointer, sealing: boolean) {
    this.#lib = lib;
    this.#context = context;
    this.#name.bytes.set(Buffer.from(evp.additional));
    const { bytes, view: additional } = this.#additional;
    bytes.set(Buffer.from(gcmAdditional));
    // libcrypto takes off what is around a text, and so finds a length of nothing.
    additional.setUint16(record.additional - 2, record.nonce + (sealing ? 0 : record.tag));
    // One OSSL_PARAM of five words: name, type, where, length, what came of it; and an end of zeros.
    const { view } = this.#params;
    view.setBigUint64(0, BigInt(this.#name.at), true);
    view.setUint32(8, evp.octets, true);
    view.setBigUint64(16, BigInt(this.#additional.at), true);
    view.setBigUint64(24, BigInt(record.additional), true);
    this.#paramsAt = pointer(this.#params.at);
    this.ready = this.#countFrom(0);
  }

  /** See net/aead/aead.ts. */
  seal(counter: number, memory: Block, at: number, length: number): void {
    if (counter !== this.#next && !this.#countFrom(counter)) throw new Error("libcrypto failed");
    this.#next = NaN; // until it is known that it counted
    if (!this.#do(memory, at, length)) throw new Error("libcrypto failed");
    this.#next = counter + 1;
    // A nonce that came twice would give all away.
    if (memory.view.getUint32(at - 4) !== counter >>> 0) throw new Error("libcrypto miscounted");
  }

  /** See net/aead/aead.ts. */
  open(_: number, memory: Block, at: number, length: number, to: Block, toAt: number): boolean {
    checkRoom(to, toAt, length);
    if (!this.#do(memory, at, length)) return false;
    libc.memcpy(pointer(to.at + toAt), pointer(memory.at + at), length);
    return true;
  }

  /** The key is wiped, and nothing can be sealed or opened any more. */
  free(): void {
    if (this.#context !== null) this.#lib.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
  }

  #do(memory: Block, at: number, length: number): boolean {
    if (this.#context === null) throw new Error("the key is gone");
    checkRoom(memory, at - record.nonce, record.nonce + length + record.tag);
    const all = pointer(memory.at + at - record.nonce);
    const lib = this.#lib;
    lib.EVP_CIPHER_CTX_set_params(this.#context, this.#paramsAt);
    return lib.EVP_Cipher(this.#context, all, all, record.nonce + length + record.tag) >= 0;
  }

  #countFrom(counter: number): boolean {
    if (this.#context === null) throw new Error("the key is gone");
    const { view, at } = this.#nonce;
    view.setUint32(record.implicit, Math.floor(counter / 2 ** 32));
    view.setUint32(record.implicit + 4, counter >>> 0);
    const { setWholeIv, whole } = evp;
    return this.#lib.EVP_CIPHER_CTX_ctrl(this.#context, setWholeIv, whole, pointer(at)) > 0;
  }
}
