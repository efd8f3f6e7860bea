/** LOCK and UNLOCK (RFC 4918, 9.10 and 9.11). */
import { plain, refuse } from "../../../net/dav/answers.ts";
import {
  conflict,
  discovery,
  endOfLock,
  holdsLock,
  lockDiscovery,
} from "../../../net/dav/locking.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { parseIf, submitted } from "../../../wire/dav/if-header.ts";
import { type LockInfo, parseLockInfo } from "../../../wire/dav/lock-info.ts";
import { emitLockToken, parseLockToken } from "../../../wire/dav/lock-token.ts";
import { type HttpResponse, respond } from "../../../wire/http/message.ts";
import { isKept } from "../tree/tree.ts";
import { type Call, type DavContext, hrefOf, viewOf } from "./context.ts";
import { guard } from "./guard.ts";
import { existing, isAnswer, parentClaim, placeFor } from "./place.ts";

export async function lock(dav: DavContext, call: Call): Promise<HttpResponse> {
  const body = await readXml(call.request);
  switch (body.kind) {
    case "refused":
      return body.answer;
    case "empty":
      return refresh(dav, call);
    case "xml": {
      const info = parseLockInfo(body.root);
      return info ? take(dav, call, info) : plain(400, "The body is no lockinfo.");
    }
  }
}

async function take(dav: DavContext, call: Call, info: LockInfo): Promise<HttpResponse> {
  const { request, path, view } = call;
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined || depth === 1) return plain(400, "Depth must be 0 or infinity.");
  const place = await placeFor(dav, view, path);
  if (isAnswer(place)) return place;
  const fresh = place.node === undefined;
  const refused = await guard(dav, call, place, fresh ? parentClaim(path) : []);
  if (refused) return refused;
  const store = dav.store();
  const token = `urn:uuid:${crypto.randomUUID()}`; // RFC 4918, 6.5
  const infinite = depth === "infinity";
  const taken = await store.exclusively((): HttpResponse | undefined => {
    const clash = conflict(viewOf(dav, call), path, hrefOf(call, path, true), info, infinite);
    if (clash) return clash;
    store.locks.add({
      token,
      path,
      owner: info.owner,
      user: call.user ?? "",
      collection: place.node?.kind === "collection",
      exclusive: info.scope === "exclusive",
      infinite,
      expires: endOf(dav, call),
    });
    return undefined;
  });
  if (taken) return taken;
  if (fresh) await makeEmpty(dav, call, token);
  return discovery(fresh ? 201 : 200, locksOn(dav, call), [["Lock-Token", emitLockToken(token)]]);
}

/** RFC 4918, 7.3: a lock on a name nothing has makes an empty resource there. */
async function makeEmpty(dav: DavContext, { view, path }: Call, token: string): Promise<void> {
  const store = dav.store();
  await store.forgetProperties(path);
  try {
    const about = { type: undefined, mtime: undefined };
    // When somebody has put something there meanwhile, that is what is locked.
    isKept(
      await dav.tree.put(view, path, nothing(), about, (newest) => {
        return newest === undefined || newest.kind === "deleted";
      }),
    );
  } catch (error) {
    await store.exclusively(() => store.locks.remove(token));
    throw error;
  }
}

/** A LOCK without body gives the lock named in If a new end (9.10.2). */
async function refresh(dav: DavContext, call: Call): Promise<HttpResponse> {
  const tokens = submitted(parseIf(call.request.headers.get("if") ?? "") ?? []);
  if (tokens.size === 0) return plain(400, "To refresh a lock, name its token in If.");
  const refused = await meant(dav, call);
  if (refused) return refused;
  const { locks } = dav.store();
  return dav.store().exclusively(() => {
    const mine = locks
      .covering(call.path)
      .filter((l) => tokens.has(l.token) && holdsLock(l, call.user));
    if (mine.length === 0) return refuse(412, "lock-token-matches-request-uri");
    for (const { token } of mine) locks.extend(token, endOf(dav, call));
    return discovery(200, locksOn(dav, call), []);
  });
}

export async function unlock(dav: DavContext, call: Call): Promise<HttpResponse> {
  const token = parseLockToken(call.request.headers.get("lock-token"));
  if (token === undefined) return plain(400, "The Lock-Token header is missing or cannot be read.");
  const refused = await meant(dav, call);
  if (refused) return refused;
  const { locks } = dav.store();
  return dav.store().exclusively(() => {
    const held = locks.covering(call.path).find((l) => l.token === token);
    if (!held) return refuse(409, "lock-token-matches-request-uri");
    if (!holdsLock(held, call.user)) return plain(403, "Somebody else holds this lock.");
    locks.remove(token);
    return respond(204);
  });
}

/** Why the lock of what is asked for may not be touched. */
async function meant(dav: DavContext, call: Call): Promise<HttpResponse | undefined> {
  const there = await existing(dav, call);
  return isAnswer(there) ? there : guard(dav, call, there, []);
}

function endOf(dav: DavContext, { request }: Call): number {
  return endOfLock(request.headers.get("timeout"), dav.now());
}

function locksOn(dav: DavContext, call: Call): string {
  return lockDiscovery(viewOf(dav, call), call.path, dav.now());
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
