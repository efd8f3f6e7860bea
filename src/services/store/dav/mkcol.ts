/** MKCOL (RFC 4918, 9.3). */
import { plain } from "../../../net/dav/answers.ts";
import { type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { Call, DavContext } from "./context.ts";
import { guard } from "./guard.ts";
import { isAnswer, parentClaim, placeFor } from "./place.ts";

export async function mkcol(dav: DavContext, call: Call): Promise<HttpResponse> {
  const { request, view, path } = call;
  // No kind of body is defined; ignoring one would make another thing than was asked for.
  if (request.contentLength !== 0 && request.body) return plain(415, "MKCOL takes no body.");
  const place = await placeFor(dav, view, path);
  if (isAnswer(place)) return place;
  if (place.node !== undefined)
    return plain(405, "There is something here already.", [
      ["Allow", "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND"],
    ]);
  const claims = [{ key: path, reach: "itself" } as const, ...parentClaim(path)];
  const refused = await guard(dav, call, place, claims);
  if (refused) return refused;
  await dav.store().forgetProperties(path);
  await dav.tree.makeCollection(view, path);
  return respond(201);
}
