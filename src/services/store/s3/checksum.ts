/** `x-amz-checksum-crc32: ...`: what S3's clients say of a body, in front of it or behind. */
import { crc32 } from "node:zlib";

import { Refusal } from "./refusal.ts";

const PREFIX = "x-amz-checksum-";

/** Something that bytes pass through. */
interface Sum {
  add(bytes: Uint8Array): void;
  /** Base64. */
  end(): string;
}

/** Others (CRC-32C, CRC-64/NVME) are read over. */
const SUMS: Readonly<Record<string, () => Sum>> = {
  crc32() {
    let sum = 0;
    return {
      add: (bytes) => void (sum = crc32(bytes, sum)),
      end() {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(sum);
        return bytes.toString("base64");
      },
    };
  },
  sha1: () => hashed("sha1"),
  sha256: () => hashed("sha256"),
};

function hashed(name: "sha1" | "sha256"): Sum {
  const hash = new Bun.CryptoHasher(name);
  return { add: (bytes) => void hash.update(bytes), end: () => hash.digest("base64") };
}

/** The sum that a request tells of its body, or says it will tell behind it. */
export class Checksum {
  readonly #name: string;
  readonly #sum: Sum;
  #said: string | undefined;

  private constructor(name: string, sum: Sum, said: string | undefined) {
    this.#name = name;
    this.#sum = sum;
    this.#said = said;
  }

  /** Undefined: there is none, or none that is known here. */
  static of(headers: Pick<Headers, "get">): Checksum | undefined {
    const behind = headers.get("x-amz-trailer")?.trim().toLowerCase();
    for (const [kind, make] of Object.entries(SUMS)) {
      const name = PREFIX + kind;
      const said = headers.get(name)?.trim();
      if (said !== undefined || behind === name) return new Checksum(name, make(), said);
    }
    return undefined;
  }

  add(bytes: Uint8Array): void {
    this.#sum.add(bytes);
  }

  /** A trailer has come; its name in lower case. */
  trailer(name: string, value: string): void {
    if (name === this.#name) this.#said ??= value.trim();
  }

  /** That was all. Throws `BadDigest` when it is another body than was told. */
  end(): void {
    if (this.#sum.end() !== this.#said) throw new Refusal("BadDigest");
  }
}
