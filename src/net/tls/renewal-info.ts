import { createHash, X509Certificate } from "node:crypto";

import { limitedResponse } from "../../wire/http/limited-body.ts";
import { CertificateError } from "./certificate.ts";
import type { Ca } from "./issue.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** When a CA does not say when it wants to be asked again (RFC 9773, 4.3.3). */
const ASK_AGAIN_MS = 6 * HOUR;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longest answer that is read, a directory or renewal information. Bytes. */
const MAX_ANSWER = 2 ** 20;
/** Whatever a CA says, there is time for some failures before the end: this much of the life. */
const SPARE = 1 / 20;

/** When a CA wants a certificate replaced (RFC 9773, 4.2). Milliseconds since 1970. */
export interface Window {
  readonly start: number;
  readonly end: number;
  /** A page that says why it is now. */
  readonly why: string | undefined;
}

/** What a CA says of one certificate. */
export interface Advice {
  /** How the CA calls the certificate; undefined when it does not do renewal information. */
  readonly id: string | undefined;
  readonly window: Window | undefined;
  /** Milliseconds until it is to be asked again. */
  readonly wait: number;
}

/**
 * Ask the CA when it wants a certificate replaced; `chain` is PEM, the leaf first, `now`
 * milliseconds since 1970. Throws Error when it cannot be reached, or says what nobody can read.
 */
export async function askRenewalInfo(
  { directory, root }: Ca,
  chain: string,
  now: number,
): Promise<Advice> {
  const get = async (url: string): Promise<Response> => {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(root !== undefined && { tls: { ca: root } }),
    });
    if (!answer.ok) throw new Error(`GET ${url}: ${answer.status}`);
    return limitedResponse(answer, MAX_ANSWER);
  };
  const offers = (await (await get(directory)).json()) as { renewalInfo?: unknown } | null;
  const base = offers?.renewalInfo;
  if (typeof base !== "string") return { id: undefined, window: undefined, wait: DAY };
  const id = await certificateId(chain);
  const answer = await get(`${base.replace(/\/$/, "")}/${id}`);
  const window = readWindow(await answer.json());
  if (window === undefined) throw new Error("renewal information without a suggested window");
  return { id, window, wait: waitFor(answer.headers.get("retry-after"), now) };
}

/**
 * How renewal information calls a certificate (RFC 9773, 4.1): the identifier of its issuer's key
 * and its serial, in base64url. Throws CertificateError when it does not say whose key signed it.
 */
export async function certificateId(chain: string): Promise<string> {
  // Loaded here and not above, as in self-signed.ts.
  const { AuthorityKeyIdentifierExtension, X509Certificate: Parsed } =
    await import("@peculiar/x509");
  const leaf = new X509Certificate(chain);
  const issuer = new Parsed(leaf.raw).getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (issuer === undefined) throw new CertificateError("the certificate has no issuer's key");
  const digits = leaf.serialNumber.length % 2 ? `0${leaf.serialNumber}` : leaf.serialNumber;
  // As DER has it: positive.
  const serial = Number.parseInt(digits.slice(0, 2), 16) >= 0x80 ? `00${digits}` : digits;
  return [issuer, serial].map((hex) => Buffer.from(hex, "hex").toString("base64url")).join(".");
}

/** The body of an answer, read from JSON. Undefined when it has no window that makes sense. */
export function readWindow(body: unknown): Window | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { suggestedWindow, explanationURL } = body as Record<string, unknown>;
  if (typeof suggestedWindow !== "object" || suggestedWindow === null) return undefined;
  const { start, end } = suggestedWindow as Record<string, unknown>;
  if (typeof start !== "string" || typeof end !== "string") return undefined;
  const read = { start: Date.parse(start), end: Date.parse(end) };
  // False for NaN as well. RFC 9773, 4.2: a window that ends before it begins is not believed.
  if (!(read.start < read.end)) return undefined;
  return { ...read, why: typeof explanationURL === "string" ? explanationURL : undefined };
}

/** Retry-After (RFC 9110, 10.2.3) in milliseconds, never sooner than a minute nor later than a day. */
export function waitFor(retryAfter: string | null, now: number): number {
  const text = retryAfter?.trim() ?? "";
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? ASK_AGAIN_MS : Math.min(Math.max(wait, MINUTE), DAY);
}

/**
 * The time in the window to renew at. The same window and certificate give the same time, however
 * often the CA is asked: else the earliest of many draws would win.
 */
export function timeIn(
  { start, end }: Window,
  id: string,
  life: { notBefore: number; notAfter: number },
): number {
  const draw = createHash("sha256").update(id).digest().readUInt32BE() / 2 ** 32;
  const latest = life.notAfter - (life.notAfter - life.notBefore) * SPARE;
  return Math.min(start + (end - start) * draw, latest);
}
