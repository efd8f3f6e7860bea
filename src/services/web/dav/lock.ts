/** LOCK and UNLOCK (RFC 4918, 9.10 and 9.11). */
import { closeSync, openSync } from "node:fs";

import { plain, refuse } from "../../../net/dav/answers.ts";
import { conflict, discovery, endOfLock, holdsLock } from "../../../net/dav/locking.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
import { fsyncDirectory } from "../../../sys/durable.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { href } from "../../../wire/dav/href.ts";
import { parseIf, submitted } from "../../../wire/dav/if-header.ts";
import { type LockInfo, parseLockInfo } from "../../../wire/dav/lock-info.ts";
import { emitLockToken, parseLockToken } from "../../../wire/dav/lock-token.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard, viewOf } from "./guard.ts";
import { locksOn } from "./live-properties.ts";
import { existing, isAnswer, parentClaim, placeFor } from "./place.ts";
import type { Resource } from "./resource.ts";

export async function lock(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const body = await readXml(request);
  switch (body.kind) {
    case "refused":
      return body.answer;
    case "empty":
      return await refresh(dav, request, caller);
    case "xml": {
      const info = parseLockInfo(body.root);
      return info ? await take(dav, request, caller, info) : plain(400, "The body is no lockinfo.");
    }
  }
}

async function take(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
  info: LockInfo,
): Promise<HttpResponse> {
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined || depth === 1) return plain(400, "Depth must be 0 or infinity.");
  const store = dav.store();
  const token = `urn:uuid:${crypto.randomUUID()}`; // RFC 4918, 6.5
  const taken = await store.exclusively((): HttpResponse | Resource => {
    const place = placeFor(dav, request.path);
    if (isAnswer(place)) return place;
    if (place.kind === "special") return plain(403, "This is not an ordinary file.");
    const refused =
      guard(dav, request, caller, place, place.kind === "none" ? parentClaim(place) : []) ??
      conflict(viewOf(dav, caller), place.key, href(place.path, true), info, depth === "infinity");
    if (refused) return refused;
    if (place.kind === "none") makeEmpty(dav, place);
    store.locks.add({
      token,
      path: place.key,
      owner: info.owner,
      user: caller.user ?? "",
      collection: place.kind === "collection",
      exclusive: info.scope === "exclusive",
      infinite: depth === "infinity",
      expires: endOfLock(request.headers.get("timeout"), dav.now()),
    });
    return place;
  });
  if (isAnswer(taken)) return taken;

  const fresh = taken.kind === "none";
  if (fresh) dav.onChange(taken.path);
  if (fresh) await fsyncDirectory(taken.directory);
  return discovery(fresh ? 201 : 200, locksOn(dav, taken.key), [
    ["Lock-Token", emitLockToken(token)],
  ]);
}

/** RFC 4918, 7.3: a lock on a name nothing has makes an empty resource there. */
function makeEmpty(dav: DavContext, place: Resource): void {
  dav.store().properties.removeTree(place.key);
  closeSync(openSync(place.file, "wx"));
}

/** A LOCK without body gives the lock named in If a new end (9.10.2). */
async function refresh(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const tokens = submitted(parseIf(request.headers.get("if") ?? "") ?? []);
  if (tokens.size === 0) return plain(400, "To refresh a lock, name its token in If.");
  const store = dav.store();
  return await store.exclusively(() => {
    const resource = meant(dav, request, caller);
    if (isAnswer(resource)) return resource;
    const mine = store.locks
      .covering(resource.key)
      .filter((l) => tokens.has(l.token) && holdsLock(l, caller.user));
    if (mine.length === 0) return refuse(412, "lock-token-matches-request-uri");
    for (const { token } of mine)
      store.locks.extend(token, endOfLock(request.headers.get("timeout"), dav.now()));
    return discovery(200, locksOn(dav, resource.key), []);
  });
}

export async function unlock(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const token = parseLockToken(request.headers.get("lock-token"));
  if (token === undefined) return plain(400, "The Lock-Token header is missing or cannot be read.");
  const store = dav.store();
  return await store.exclusively(() => {
    const resource = meant(dav, request, caller);
    if (isAnswer(resource)) return resource;
    const held = store.locks.covering(resource.key).find((l) => l.token === token);
    if (!held) return refuse(409, "lock-token-matches-request-uri");
    if (!holdsLock(held, caller.user)) return plain(403, "Somebody else holds this lock.");
    store.locks.remove(token);
    return respond(204);
  });
}

/** The resource whose lock the request is about, when nothing forbids it. */
function meant(dav: DavContext, request: HttpRequest, caller: Caller): Resource | HttpResponse {
  const resource = existing(dav, request.path);
  if (isAnswer(resource)) return resource;
  return guard(dav, request, caller, resource, []) ?? resource;
}
