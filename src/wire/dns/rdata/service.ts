import { bytesIp } from "../../../core/ip-bytes.ts";
/** The parameters of SVCB and HTTPS records on the wire (RFC 9460, 2.2), checked and shown. */
import { showIp } from "../../../core/ip.ts";
import { SERVICE_KEY, showKey } from "./service-keys.ts";
import { showString } from "./show-string.ts";

/** Whether the keys ascend, every value has the form of its key, and the mandatory ones are there. */
export function isService(rdata: Uint8Array, at: number, to: number): boolean {
  const keys = new Set<number>();
  const mandatory: number[] = [];
  let last = -1;
  while (at < to) {
    if (at + 4 > to) return false;
    const key = word(rdata, at);
    const start = at + 4;
    const end = start + word(rdata, at + 2);
    if (key <= last || key === 0xffff || end > to || !isValue(key, rdata, start, end)) return false;
    if (key === SERVICE_KEY.MANDATORY)
      for (let i = start; i < end; i += 2) mandatory.push(word(rdata, i));
    keys.add(key);
    last = key;
    at = end;
  }
  // RFC 9460, 7.1.1: it takes a list to have no default.
  if (keys.has(SERVICE_KEY.NO_DEFAULT_ALPN) && !keys.has(SERVICE_KEY.ALPN)) return false;
  return mandatory.every((key) => keys.has(key));
}

function isValue(key: number, rdata: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  switch (key) {
    case SERVICE_KEY.MANDATORY: {
      if (length === 0 || length % 2 > 0) return false;
      let last = SERVICE_KEY.MANDATORY as number; // which may not be in its own list (8)
      for (let i = start; i < end; i += 2) {
        if (word(rdata, i) <= last) return false;
        last = word(rdata, i);
      }
      return true;
    }
    case SERVICE_KEY.ALPN: {
      let at = start;
      while (at < end && rdata[at] !== 0) at += 1 + (rdata[at] as number);
      return length > 0 && at === end;
    }
    case SERVICE_KEY.NO_DEFAULT_ALPN:
    case SERVICE_KEY.OHTTP:
      return length === 0;
    case SERVICE_KEY.PORT:
      return length === 2;
    case SERVICE_KEY.IPV4HINT:
      return length > 0 && length % 4 === 0;
    case SERVICE_KEY.IPV6HINT:
      return length > 0 && length % 16 === 0;
    case SERVICE_KEY.ECH:
      return length > 0;
    default:
      return true;
  }
}

/** `alpn="h2,h3" port=8443`: what `readService` reads back. */
export function showService(rdata: Uint8Array, at: number, to: number): string {
  const shown: string[] = [];
  while (at < to) {
    const start = at + 4;
    const end = start + word(rdata, at + 2);
    const value = showValue(word(rdata, at), rdata.subarray(start, end));
    shown.push(showKey(word(rdata, at)) + (value === "" ? "" : `=${value}`));
    at = end;
  }
  return shown.join(" ");
}

function showValue(key: number, value: Uint8Array): string {
  switch (key) {
    case SERVICE_KEY.MANDATORY:
      return pieces(value, 2)
        .map((piece) => showKey(word(piece, 0)))
        .join(",");
    case SERVICE_KEY.ALPN:
      return showProtocols(value);
    case SERVICE_KEY.PORT:
      return String(word(value, 0));
    case SERVICE_KEY.IPV4HINT:
      return pieces(value, 4)
        .map((piece) => showIp(bytesIp(piece)))
        .join(",");
    case SERVICE_KEY.IPV6HINT:
      return pieces(value, 16)
        .map((piece) => showIp(bytesIp(piece)))
        .join(",");
    case SERVICE_KEY.ECH:
      return value.toBase64();
    default:
      return value.length === 0 ? "" : showString(value);
  }
}

/** Escaped twice: once as a list, once as a string (RFC 9460, A.1). */
function showProtocols(value: Uint8Array): string {
  const list: number[] = [];
  for (let at = 0; at < value.length;) {
    if (at > 0) list.push(0x2c);
    const end = at + 1 + (value[at] as number);
    for (const byte of value.subarray(at + 1, end)) {
      if (byte === 0x2c || byte === 0x5c) list.push(0x5c);
      list.push(byte);
    }
    at = end;
  }
  return showString(Uint8Array.from(list));
}

function pieces(value: Uint8Array, width: number): Uint8Array[] {
  return Array.from({ length: value.length / width }, (_, i) =>
    value.subarray(i * width, (i + 1) * width),
  );
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
