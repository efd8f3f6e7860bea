/** What locks allow, and how they are shown (RFC 4918, 6, 7 and 9.10). */
import { type IfHeader, submitted } from "../../wire/dav/if-header.ts";
import type { LockInfo } from "../../wire/dav/lock-info.ts";
import { activeLock, conditionElement, davElement, PROLOGUE } from "../../wire/dav/multistatus.ts";
import { DAV } from "../../wire/dav/property-name.ts";
import { parseTimeout } from "../../wire/dav/timeout.ts";
import type { HttpResponse } from "../../wire/http/message.ts";
import { multistatus, refuse, xml } from "./answers.ts";
import type { Lock, Locks } from "./locks.ts";

/** For who does not say; clients refresh long before. */
const DEFAULT_SECONDS = 3600;
/** Whatever is wished for: a lock that its holder forgot must end some day. */
const MAX_SECONDS = 24 * 3600;

/** What a method is about to change: a resource itself, or all beneath it too. */
export interface Claim {
  readonly key: string;
  readonly reach: "itself" | "tree";
}

/** Locks as one who asks sees them. */
export interface LockView {
  readonly locks: Locks;
  /** Undefined when nobody logged in. */
  readonly user: string | undefined;
  /** Escaped path of the resource that was locked. */
  readonly hrefOf: (lock: Lock) => string;
}

/** Every resource claimed needs a token of one of the locks it is under (RFC 4918, 7). */
export function locked(
  view: LockView,
  header: IfHeader,
  claims: readonly Claim[],
): HttpResponse | undefined {
  const { locks, hrefOf } = view;
  const tokens = submitted(header);
  const open = (on: readonly Lock[]): boolean =>
    on.length === 0 || on.some((l) => tokens.has(l.token) && holdsLock(l, view.user));

  const members = new Set<string>();
  for (const { key, reach } of claims) {
    const above = locks.covering(key);
    if (!open(above)) return refuse(423, "lock-token-submitted", above.map(hrefOf));
    if (reach === "itself") continue;
    for (const lock of locks.beneath(key))
      if (!open(locks.covering(lock.path))) members.add(hrefOf(lock));
  }
  if (members.size === 0) return undefined;
  return multistatus(
    [...members].map((href) => ({
      href,
      status: 423,
      error: conditionElement("lock-token-submitted", [href]),
    })),
  );
}

/** A token is of use only to who took the lock (6.4), where that is known. */
export function holdsLock(lock: Lock, user: string | undefined): boolean {
  return lock.user === "" || lock.user === user;
}

/** Locks that cannot be together with the wished one (6.1 and the table in 6.2). */
export function conflict(
  { locks, hrefOf }: LockView,
  key: string,
  href: string,
  info: LockInfo,
  infinite: boolean,
): HttpResponse | undefined {
  const against = (l: Lock): boolean => l.exclusive || info.scope === "exclusive";
  const above = locks.covering(key).filter(against);
  if (above.length > 0) return refuse(423, "no-conflicting-lock", above.map(hrefOf));
  const members = infinite ? locks.beneath(key).filter(against) : [];
  if (members.length === 0) return undefined;
  const hrefs = [...new Set(members.map(hrefOf))];
  // 9.10.9: the members are at fault, the collection only depends on them.
  return multistatus([
    ...hrefs.map((at) => ({
      href: at,
      status: 423,
      error: conditionElement("no-conflicting-lock", [at]),
    })),
    { href, status: 424 },
  ]);
}

/** When a lock is to end, in milliseconds since 1970; `timeout` is the header's value. */
export function endOfLock(timeout: string | null, now: number): number {
  const wish = parseTimeout(timeout) ?? DEFAULT_SECONDS;
  return now + Math.min(Math.max(wish, 1), MAX_SECONDS) * 1000;
}

/** The locks on a resource, for `lockdiscovery`. */
export function lockDiscovery(
  { locks, hrefOf }: Pick<LockView, "locks" | "hrefOf">,
  key: string,
  now: number,
): string {
  return locks
    .covering(key)
    .map((lock) =>
      activeLock({
        token: lock.token,
        owner: lock.owner,
        scope: lock.exclusive ? "exclusive" : "shared",
        depth: lock.infinite ? "infinity" : 0,
        seconds: (lock.expires - now) / 1000,
        rootHref: hrefOf(lock),
      }),
    )
    .join("");
}

/** What LOCK answers: the locks that are there now. */
export function discovery(
  status: number,
  locks: string,
  headers: HttpResponse["headers"],
): HttpResponse {
  const text = `${PROLOGUE}<D:prop xmlns:D="${DAV}">${davElement("lockdiscovery", locks)}</D:prop>\n`;
  return xml(status, text, headers);
}
