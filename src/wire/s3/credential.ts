/** Who says to have signed a request, and what: from its Authorization field, or from its URL. */
import type { Pair } from "./canonical.ts";
import { ALGORITHM, type Scope } from "./signature.ts";

export interface Credential {
  readonly accessKey: string;
  readonly scope: Scope;
  /** Names in lower case. */
  readonly signedHeaders: readonly string[];
  /** Hex. */
  readonly signature: string;
}

/** A URL that anybody may use for a while. */
export interface Presigned extends Credential {
  /** `20130524T000000Z`. */
  readonly time: string;
  /** Seconds. */
  readonly expires: number;
}

const FIELD = /^AWS4-HMAC-SHA256 +(.*)$/;
const HEX = /^[0-9a-f]{64}$/;
/** Longest that a URL may be good for: seven days. */
const MAX_EXPIRES = 604_800;

/** Is it signed in this way, well or badly? */
export function isSigned(authorization: string | null, query: string): boolean {
  return (authorization ?? "").startsWith(ALGORITHM) || /(^|&)X-Amz-Algorithm=/.test(query);
}

/** Read an Authorization field. Undefined when it is none of this kind. */
export function parseAuthorization(text: string): Credential | undefined {
  const parts = new Map(
    (FIELD.exec(text)?.[1] ?? "").split(",").map((part) => {
      const [name = "", value = ""] = part.trim().split(/=(.*)/s);
      return [name, value] as const;
    }),
  );
  return credential(parts.get("Credential"), parts.get("SignedHeaders"), parts.get("Signature"));
}

/** Write an Authorization field. */
export function emitAuthorization({
  accessKey,
  scope,
  signedHeaders,
  signature,
}: Credential): string {
  const { date, region, service } = scope;
  return (
    `${ALGORITHM} Credential=${accessKey}/${date}/${region}/${service}/aws4_request,` +
    `SignedHeaders=${signedHeaders.join(";")},Signature=${signature}`
  );
}

/** Read a query. Undefined when it is no presigned URL's. */
export function parsePresigned(query: readonly Pair[]): Presigned | undefined {
  const of = (name: string) => query.find(([key]) => key === name)?.[1];
  const read = credential(of("X-Amz-Credential"), of("X-Amz-SignedHeaders"), of("X-Amz-Signature"));
  const expires = Number(of("X-Amz-Expires"));
  const time = of("X-Amz-Date");
  const well = Number.isInteger(expires) && expires > 0 && expires <= MAX_EXPIRES;
  if (read === undefined || time === undefined || !well || of("X-Amz-Algorithm") !== ALGORITHM)
    return undefined;
  return { ...read, time, expires };
}

function credential(
  named: string | undefined,
  headers: string | undefined,
  signature: string | undefined,
): Credential | undefined {
  const parts = (named ?? "").split("/");
  const [date = "", region = "", service = "", end] = parts.splice(-4);
  const accessKey = parts.join("/");
  if (end !== "aws4_request" || accessKey === "" || !/^\d{8}$/.test(date)) return undefined;
  if (signature === undefined || !HEX.test(signature) || !headers) return undefined;
  const signedHeaders = headers.toLowerCase().split(";");
  return { accessKey, scope: { date, region, service }, signedHeaders, signature };
}
