/** MKCOL (RFC 4918, 9.3). */
import { mkdirSync } from "node:fs";

import { plain } from "../../../net/dav/answers.ts";
import { fsyncDirectory } from "../../../sys/durable.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard } from "./guard.ts";
import { isAnswer, parentClaim, placeFor } from "./place.ts";

export async function mkcol(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  // No kind of body is defined; ignoring one would make another thing than was asked for.
  if (request.contentLength !== 0 && request.body) return plain(415, "MKCOL takes no body.");
  const store = dav.store();
  const made = await store.exclusively(() => {
    const place = placeFor(dav, request.path);
    if (isAnswer(place)) return place;
    if (place.kind !== "none")
      return plain(405, "There is something here already.", [
        ["Allow", "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND"],
      ]);
    const itself = { key: place.key, reach: "itself" } as const;
    const refused = guard(dav, request, caller, place, [itself, ...parentClaim(place)]);
    if (refused) return refused;
    store.properties.removeTree(place.key);
    mkdirSync(place.file);
    return place;
  });
  if (isAnswer(made)) return made;

  dav.onChange(made.path);
  await fsyncDirectory(made.directory);
  return respond(201);
}
