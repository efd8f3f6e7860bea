import { createHmac, getRandomValues, randomBytes } from "node:crypto";

const one = new Uint32Array(1);

/** 31 random bits: socket ids and first sequence numbers that strangers cannot guess. */
export function random31(): number {
  getRandomValues(one);
  return (one[0] as number) >>> 1;
}

/** Cookies that only we can make: 32 bits for a peer and a minute. */
export function cookies(): (peer: string, minute: number) => number {
  const secret = randomBytes(32);
  return (peer, minute) =>
    createHmac("sha256", secret).update(`${minute} ${peer}`).digest().readUInt32BE(0);
}
