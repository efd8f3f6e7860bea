/** What the SOA of a zone says to its secondaries (RFC 1035, 3.3.13). Seconds. */
export interface SoaNumbers {
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
}

/** The five numbers at the end of an SOA's rdata. */
const NUMBERS = 20;

/** `rdata` is that of an SOA, its names whole. */
export function soaNumbers(rdata: Uint8Array): SoaNumbers {
  const view = new DataView(rdata.buffer, rdata.byteOffset + rdata.length - NUMBERS);
  return {
    serial: view.getUint32(0),
    refresh: view.getUint32(4),
    retry: view.getUint32(8),
    expire: view.getUint32(12),
  };
}

/** Whether serial `a` comes after `b` (RFC 1982, 3.2). */
export function isNewer(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
