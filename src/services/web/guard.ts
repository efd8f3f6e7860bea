/** Who may ask for what: users of protected paths, writers, and how often anyone may ask. */
import { networkOf } from "../../core/client-network.ts";
import { TokenBuckets } from "../../core/token-bucket.ts";
import { BasicAuth } from "../../net/basic-auth.ts";
import type { HttpRequest } from "../../wire/http/message.ts";
import type { SiteConfig } from "./config.ts";
import { compileWriters } from "./writers.ts";

/** Clients whose rate is counted; beyond it those silent for longest are forgotten. */
const MAX_CLIENTS = 100_000;

export interface Guard {
  /** Does reading this path ask for a user? */
  isProtected(path: string): boolean;
  /** The same for a method that works on all beneath a path, or on a second one. */
  isProtectedTree(path: string): boolean;
  /** Who is logged in. */
  user(request: HttpRequest, now: number): Promise<{ user: string } | "missing" | "denied">;
  /** WWW-Authenticate; undefined when there are no users. */
  readonly challenge: string | undefined;
  mayWrite(address: string, user: string | undefined): boolean;
  /** A login could make someone a writer. */
  readonly hasWritingUsers: boolean;
  /** Milliseconds this client has to wait; 0 when it may go on, and counted. */
  wait(address: string, now: number): number;
  readonly limits: boolean;
}

type Rules = Pick<SiteConfig, "auth" | "limit" | "webdav">;

export function makeGuard({ auth, limit, webdav }: Rules): Guard {
  const users = Object.entries(auth?.users ?? {});
  const basic = auth
    ? new BasicAuth(
        auth.realm,
        Object.fromEntries(users.map(([name, hash]) => [name, hash.reveal()])),
      )
    : undefined;
  const prefixes = auth?.paths ?? [];
  const writers = compileWriters(
    webdav.writers,
    users.map(([name]) => name),
  );
  const buckets = limit && new TokenBuckets(limit.rate.perSecond, limit.burst, MAX_CLIENTS);
  const isProtected = (path: string): boolean =>
    prefixes.some((prefix) => path.startsWith(prefix) || `${path}/` === prefix);

  return {
    isProtected,
    isProtectedTree: (path) => isProtected(path) || prefixes.some((p) => p.startsWith(path)),
    user: async (request, now) =>
      basic?.check(request.headers.get("authorization"), now) ?? "missing",
    challenge: basic?.challenge,
    mayWrite: (address, user) =>
      writers.address(address) || (user !== undefined && writers.users.has(user)),
    hasWritingUsers: writers.users.size > 0,
    wait: (address, now) => buckets?.take(networkOf(address), now) ?? 0,
    limits: buckets !== null,
  };
}
