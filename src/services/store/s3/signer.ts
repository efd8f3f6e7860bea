/** Who has signed a request, and whether that is true. */
import { timingSafeEqual } from "node:crypto";

import type { HttpRequest } from "../../../wire/http/message.ts";
import { type Pair, parseQuery } from "../../../wire/s3/canonical.ts";
import {
  type Credential,
  parseAuthorization,
  parsePresigned,
} from "../../../wire/s3/credential.ts";
import { parseTime, type Scope, signingKey, signRequest } from "../../../wire/s3/signature.ts";
import type { StoreConfig } from "../config.ts";
import { hashes } from "./hashes.ts";
import { Refusal } from "./refusal.ts";

/** How far clocks may be apart. */
const SKEW_MS = 15 * 60_000;
/** Signing keys that are remembered: one for each user, day and region. */
const MAX_KEYS = 1000;

export type S3User = StoreConfig["s3"]["users"][string];

/** A request whose signature is right. */
export interface Signed {
  readonly user: S3User;
  /** Decoded, as it was sent: nothing is made shorter. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** What it says of its body: x-amz-content-sha256. */
  readonly payload: string;
  /** For the chunks of the body. */
  readonly key: Uint8Array;
  readonly scope: Scope;
  readonly time: string;
  readonly signature: string;
}

export class Signers {
  readonly #users: Readonly<Record<string, S3User>>;
  readonly #keys = new Map<string, Uint8Array>();

  constructor(users: Readonly<Record<string, S3User>>) {
    this.#users = users;
  }

  /** Throws a `Refusal`. `now` in milliseconds since 1970. */
  verify(request: HttpRequest, now: number): Signed {
    const { target, headers, method } = request;
    const mark = target.indexOf("?");
    const query = parseQuery(mark < 0 ? "" : target.slice(mark + 1));
    const path = decoded(mark < 0 ? target : target.slice(0, mark));
    if (query === undefined || path === undefined) throw new Refusal("InvalidArgument");
    const field = headers.get("authorization");
    const presigned = field === null ? parsePresigned(query) : undefined;
    const credential = field === null ? presigned : parseAuthorization(field);
    const time = presigned?.time ?? headers.get("x-amz-date") ?? "";
    const at = parseTime(time);
    if (credential === undefined || at === undefined || !time.startsWith(credential.scope.date))
      throw new Refusal("AccessDenied");
    const until = at + (presigned === undefined ? SKEW_MS : presigned.expires * 1000);
    if (now > until || now < at - SKEW_MS)
      throw new Refusal(presigned === undefined ? "RequestTimeTooSkewed" : "AccessDenied");
    const { accessKey, scope, signedHeaders, signature } = credential;
    const user = Object.hasOwn(this.#users, accessKey) ? this.#users[accessKey] : undefined;
    if (user === undefined) throw new Refusal("InvalidAccessKeyId");
    // A signature that leaves the host out would be good for any server.
    if (!signedHeaders.includes("host")) throw new Refusal("AccessDenied");

    const payload =
      presigned === undefined
        ? (headers.get("x-amz-content-sha256") ?? "")
        : (headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD");
    if (payload === "") throw new Refusal("InvalidRequest");
    const key = this.#key(credential, user);
    const right = signRequest(hashes, key, scope, time, {
      method,
      path,
      query: query.filter(([name]) => name !== "X-Amz-Signature"),
      headers: signedHeaders.map((name): Pair => [name, valueOf(request, name)]),
      payload,
    });
    if (!timingSafeEqual(Buffer.from(right), Buffer.from(signature)))
      throw new Refusal("SignatureDoesNotMatch");
    return { user, path, query: new Map(query), payload, key, scope, time, signature };
  }

  #key({ accessKey, scope }: Credential, user: S3User): Uint8Array {
    const of = `${accessKey} ${scope.date} ${scope.region} ${scope.service}`;
    let key = this.#keys.get(of);
    if (key === undefined) {
      if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
      key = signingKey(hashes, user.secret.reveal(), scope);
      this.#keys.set(of, key);
    }
    return key;
  }
}

function valueOf({ headers, authority }: HttpRequest, name: string): string {
  return (name === "host" ? authority : undefined) ?? headers.get(name) ?? "";
}

/** `/a%20b`, or `http://host/a%20b`, as `/a b`. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path.replace(/^https?:\/\/[^/]*/i, "")) || "/";
  } catch {
    return undefined; // no UTF-8, or an escape that is none
  }
}
