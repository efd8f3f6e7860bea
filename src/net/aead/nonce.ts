/** Write a counter into a nonce of 12 bytes as WireGuard does: four zero bytes, then the lowest byte first. */
export function setCounter(nonce: Uint8Array, counter: number): void {
  let rest = counter;
  for (let i = 4; i < 12; i++) {
    nonce[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
