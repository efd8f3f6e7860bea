const FIXED = 4;
const SIZE = 12;

/** Write a counter into a nonce of 12 bytes: four zero bytes, then the lowest byte first (WireGuard). */
export function setCounter(nonce: Uint8Array, counter: number): void {
  let rest = counter;
  for (let i = FIXED; i < SIZE; i++) {
    nonce[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** The same with the highest byte first, as TLS and libcrypto count. */
export function setCounterHighFirst(nonce: Uint8Array, counter: number): void {
  let rest = counter;
  for (let i = SIZE - 1; i >= FIXED; i--) {
    nonce[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
