/** PROPFIND (RFC 4918, 9.1). */
import { plain, refuse } from "../../../net/dav/answers.ts";
import { described, describer } from "../../../net/dav/describe.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { href } from "../../../wire/dav/href.ts";
import { EVERYTHING, parsePropfind } from "../../../wire/dav/propfind.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { DavContext } from "./context.ts";
import { listing } from "./listing.ts";
import { ALL_LIVE, type Described, EVERY_LIVE, liveProperty } from "./live-properties.ts";
import { existing, isAnswer } from "./place.ts";

export async function propfind(dav: DavContext, request: HttpRequest): Promise<HttpResponse> {
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined) return plain(400, "Depth must be 0, 1 or infinity.");
  const body = await readXml(request);
  if (body.kind === "refused") return body.answer;
  const asked = body.kind === "empty" ? EVERYTHING : parsePropfind(body.root);
  if (!asked) return plain(400, "The body is no propfind.");
  const resource = existing(dav, request.path);
  if (isAnswer(resource)) return resource;
  const batches = await listing(dav.tree, resource, depth);
  if (batches === "too many") return refuse(403, "propfind-finite-depth");
  const describe = describer<Described>(asked, {
    href: ({ path, kind }) => href(path, kind === "collection"),
    live: (one, name) => liveProperty(dav, one, name),
    dead: ({ key }) => dav.store().properties.of(key),
    all: ALL_LIVE,
    every: EVERY_LIVE,
  });
  return described(batches, describe);
}
