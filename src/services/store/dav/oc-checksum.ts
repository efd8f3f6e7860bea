/** `OC-Checksum: SHA1:da39a3ee...`: what ownCloud's clients say of a body, and want to be told again. */

export interface Sum {
  readonly kind: keyof typeof HASHES;
  /** Lower case. */
  readonly hex: string;
}

const HASHES = { MD5: "md5", SHA1: "sha1", SHA256: "sha256" } as const;
const FIELD = /^\s*(MD5|SHA1|SHA256):([0-9a-f]+)\s*$/i;

/** Read the header's value; "unknown": nobody here can check such a sum. */
export function readSum(text: string | null): Sum | "unknown" | undefined {
  if (text === null) return undefined;
  const [, kind = "", hex = ""] = FIELD.exec(text) ?? [];
  if (hex === "") return "unknown";
  return { kind: kind.toUpperCase() as Sum["kind"], hex: hex.toLowerCase() };
}

/** The body is another one than its sum says. */
export class WrongSum extends Error {}

/** The body as it passes. It ends in `WrongSum` when it is not what was announced. */
export async function* summed(
  body: AsyncIterable<Uint8Array>,
  { kind, hex }: Sum,
): AsyncGenerator<Uint8Array, void> {
  const hash = new Bun.CryptoHasher(HASHES[kind]);
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
  if (hash.digest("hex") !== hex) throw new WrongSum();
}
