/** The ways of 3wdd to hide a packet. None of them notices what was changed on the way. */
export const CIPHERS = [
  "off",
  "aes-128-ecb",
  "aes-128-cbc",
  "aes-128-cfb",
  "aes-128-ctr",
  "blowfish-cbc",
  "blowfish-cfb",
  "blowfish-ctr",
] as const;
export type CipherName = (typeof CIPHERS)[number];

/** A block cipher with its key: whole blocks, each by itself (ECB). Results are the caller's. */
export interface Blocks {
  /** Bytes of a block: 16 of AES, 8 of Blowfish. */
  readonly size: number;
  encrypt(blocks: Uint8Array): Uint8Array;
  decrypt(blocks: Uint8Array): Uint8Array;
}

/** Hides bodies of frames. */
export interface BodyCipher {
  hide(plain: Uint8Array): Uint8Array;
  /** Undefined: it cannot have been hidden so. */
  show(body: Uint8Array): Uint8Array | undefined;
}

/** Random bytes. */
export type Dice = (count: number) => Uint8Array;

/** `aes-128-…` is AES-256 in truth: its key has 32 bytes (spec, "Key K is used as 32 ASCII bytes"). */
export function bodyCipher(
  name: CipherName,
  blocksOf: (cipher: "aes" | "blowfish") => Blocks,
  dice: Dice,
): BodyCipher {
  if (name === "off") return { hide: (plain) => plain, show: (body) => body };
  const blocks = blocksOf(name.startsWith("aes") ? "aes" : "blowfish");
  switch (name) {
    case "aes-128-ecb":
      return ecb(blocks);
    case "aes-128-cbc":
    case "blowfish-cbc":
      return cbc(blocks, dice);
    case "aes-128-cfb":
    case "blowfish-cfb":
      return cfb8(blocks, dice);
    case "aes-128-ctr":
    case "blowfish-ctr":
      return ctr(blocks);
  }
}

/** Equal blocks stay equal. */
function ecb(blocks: Blocks): BodyCipher {
  return {
    hide: (plain) => blocks.encrypt(padded(plain, blocks.size)),
    show: (body) =>
      isWhole(body, blocks) ? unpadded(blocks.decrypt(body), blocks.size) : undefined,
  };
}

function cbc(blocks: Blocks, dice: Dice): BodyCipher {
  const { size } = blocks;
  return {
    hide(plain) {
      const body = join(dice(size), padded(plain, size));
      for (let at = size; at < body.length; at += size) {
        xor(body, at, body, at - size, size);
        body.set(blocks.encrypt(body.subarray(at, at + size)), at);
      }
      return body;
    },
    show(body) {
      if (!isWhole(body, blocks) || body.length < 2 * size) return undefined;
      const plain = blocks.decrypt(body.subarray(size));
      xor(plain, 0, body, 0, plain.length);
      return unpadded(plain, size);
    },
  };
}

/** Eight bits at a time, as PyCrypto's default is: each byte hidden costs a block. */
function cfb8(blocks: Blocks, dice: Dice): BodyCipher {
  const { size } = blocks;
  return {
    hide(plain) {
      const body = join(dice(size), plain);
      for (let at = size; at < body.length; at++)
        body[at] = // both are within their arrays
          (body[at] as number) ^ (blocks.encrypt(body.subarray(at - size, at))[0] as number);
      return body;
    },
    show(body) {
      if (body.length < size) return undefined;
      // All that was fed back is there already: one call for all of it.
      const plain = body.slice(size);
      const windows = new Uint8Array(plain.length * size);
      for (let i = 0; i < plain.length; i++) windows.set(body.subarray(i, i + size), i * size);
      const stream = blocks.encrypt(windows);
      for (let i = 0; i < plain.length; i++)
        plain[i] = (plain[i] as number) ^ (stream[i * size] as number);
      return plain;
    },
  };
}

/** The counter begins at 1 in every packet: all of them are hidden by the same bytes. */
function ctr(blocks: Blocks): BodyCipher {
  let stream = new Uint8Array();
  const turn = (bytes: Uint8Array): Uint8Array => {
    if (stream.length < bytes.length) stream = counterStream(blocks, bytes.length);
    const turned = bytes.slice();
    xor(turned, 0, stream, 0, turned.length);
    return turned;
  };
  return { hide: turn, show: turn };
}

function counterStream(blocks: Blocks, length: number): Uint8Array<ArrayBuffer> {
  const { size } = blocks;
  const count = Math.ceil(length / size);
  const counters = new Uint8Array(count * size);
  const view = new DataView(counters.buffer);
  for (let i = 0; i < count; i++) view.setUint32((i + 1) * size - 4, i + 1);
  return Uint8Array.from(blocks.encrypt(counters));
}

/** PKCS #7. */
function padded(plain: Uint8Array, size: number): Uint8Array {
  const more = size - (plain.length % size);
  const out = new Uint8Array(plain.length + more).fill(more, plain.length);
  out.set(plain);
  return out;
}

function unpadded(plain: Uint8Array, size: number): Uint8Array | undefined {
  const more = plain.at(-1) ?? 0;
  if (more === 0 || more > size) return undefined;
  const end = plain.length - more;
  return plain.subarray(end).every((byte) => byte === more) ? plain.subarray(0, end) : undefined;
}

function isWhole(body: Uint8Array, { size }: Blocks): boolean {
  return body.length > 0 && body.length % size === 0;
}

function join(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + rest.length);
  out.set(head);
  out.set(rest, head.length);
  return out;
}

/** `length` bytes of `into` with those of `by`; both reach so far. */
function xor(into: Uint8Array, at: number, by: Uint8Array, from: number, length: number): void {
  for (let i = 0; i < length; i++)
    into[at + i] = (into[at + i] as number) ^ (by[from + i] as number);
}
