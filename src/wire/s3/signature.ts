/** AWS Signature Version 4: of requests, of URLs, and of the chunks of a body. */
import { canonicalRequest, type Signable } from "./canonical.ts";

/** Lent by whoever has them. */
export interface Hashes {
  /** Hex. */
  readonly sha256: (data: string | Uint8Array) => string;
  /** HMAC-SHA256. */
  readonly hmac: (key: string | Uint8Array, text: string) => Uint8Array;
}

export const ALGORITHM = "AWS4-HMAC-SHA256";

/** What a signature is good for. */
export interface Scope {
  /** `20130524`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** `20130524/us-east-1/s3/aws4_request`. */
function showScope({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** The key that signs for one scope. */
export function signingKey({ hmac }: Hashes, secret: string, scope: Scope): Uint8Array {
  const day = hmac(`AWS4${secret}`, scope.date);
  return hmac(hmac(hmac(day, scope.region), scope.service), "aws4_request");
}

/** The signature of a request, in hex. `time` as `20130524T000000Z`. */
export function signRequest(
  hashes: Hashes,
  key: Uint8Array,
  scope: Scope,
  time: string,
  request: Signable,
): string {
  const digest = hashes.sha256(canonicalRequest(request));
  return hex(hashes.hmac(key, [ALGORITHM, time, showScope(scope), digest].join("\n")));
}

/** The signature of one chunk, which depends on the one before it: first the request's own. */
export function signChunk(
  hashes: Hashes,
  key: Uint8Array,
  scope: Scope,
  time: string,
  before: string,
  chunk: Uint8Array,
): string {
  const text = [
    `${ALGORITHM}-PAYLOAD`,
    time,
    showScope(scope),
    before,
    hashes.sha256(""),
    hashes.sha256(chunk),
  ];
  return hex(hashes.hmac(key, text.join("\n")));
}

/** Milliseconds since 1970 as `20130524T000000Z`. */
export function showTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** `20130524T000000Z` in milliseconds since 1970. Undefined when it is none. */
export function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, y, mo, d, h, mi, s] = match;
  const ms = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}
