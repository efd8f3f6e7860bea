const BLOCK = 64;
const schedule = new Int32Array(80);

/**
 * SHA-1 (FIPS 180-4) of the first `length` bytes of `input`, as five words in `into`. It is here
 * because NSEC3 wants it of a short name for each answer, where making a hash object of the
 * runtime's costs more than the hash. Nothing secret is hashed. `input` needs 72 bytes more.
 */
export function sha1(input: Uint8Array, length: number, into: Uint32Array): void {
  const end = (((length + 8) >>> 6) + 1) * BLOCK;
  input.fill(0, length, end);
  input[length] = 0x80;
  const bits = length * 8;
  input[end - 3] = bits >>> 16;
  input[end - 2] = bits >>> 8;
  input[end - 1] = bits;

  into[0] = 0x67452301;
  into[1] = 0xefcdab89;
  into[2] = 0x98badcfe;
  into[3] = 0x10325476;
  into[4] = 0xc3d2e1f0;
  for (let at = 0; at < end; at += BLOCK) compress(input, at, into);
}

function compress(input: Uint8Array, at: number, into: Uint32Array): void {
  const w = schedule;
  for (let t = 0; t < 16; t++, at += 4)
    w[t] =
      ((input[at] as number) << 24) |
      ((input[at + 1] as number) << 16) |
      ((input[at + 2] as number) << 8) |
      (input[at + 3] as number);
  for (let t = 16; t < 80; t++) {
    const x =
      (w[t - 3] as number) ^ (w[t - 8] as number) ^ (w[t - 14] as number) ^ (w[t - 16] as number);
    w[t] = (x << 1) | (x >>> 31);
  }

  let a = (into[0] as number) | 0;
  let b = (into[1] as number) | 0;
  let c = (into[2] as number) | 0;
  let d = (into[3] as number) | 0;
  let e = (into[4] as number) | 0;
  for (let t = 0; t < 80; t++) {
    let f: number;
    if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + f + e + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  into[0] = (into[0] as number) + a;
  into[1] = (into[1] as number) + b;
  into[2] = (into[2] as number) + c;
  into[3] = (into[3] as number) + d;
  into[4] = (into[4] as number) + e;
}
