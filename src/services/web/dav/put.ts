/** PUT (RFC 9110, 9.3.4; RFC 4918, 9.7): a file as a whole, or a part of one. */
import type { Stats } from "node:fs";

import { plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
import { fsyncDirectory } from "../../../sys/durable.ts";
import { type ContentRange, parseContentRange } from "../../../wire/dav/content-range.ts";
import { formatDate } from "../../../wire/http/date.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard } from "./guard.ts";
import { isAnswer, parentClaim, placeFor } from "./place.ts";
import { etagOf, type Resource } from "./resource.ts";
import { StagedFile } from "./staged-file.ts";

export async function put(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const range = rangeOf(request);
  if (range === "unreadable") return plain(400, "The Content-Range cannot be used.");
  const refused = refusedAtOnce(dav, request);
  if (refused) return refused;
  const place = target(dav, request, caller);
  if (isAnswer(place)) return place;
  if (range && range.first > (place.stats?.size ?? 0))
    return plain(416, "There would be a hole in front of that.", [
      ["Content-Range", `bytes */${place.stats?.size ?? 0}`],
    ]);

  const staged =
    range && place.stats
      ? await StagedFile.copyOf(place.file, place.directory, range.first)
      : await StagedFile.create(place.directory, place.stats);
  try {
    const broken = await receive(dav, request, range, staged);
    if (broken) return broken;
    await staged.finish(place.stats);
    return await commit(dav, request, caller, staged, range ? place : undefined);
  } finally {
    await staged.discard();
  }
}

/** Put the new file where the old one is, if that is still what the client wants. */
async function commit(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
  staged: StagedFile,
  patched: Resource | undefined,
): Promise<HttpResponse> {
  const store = dav.store();
  const done = await store.exclusively((): HttpResponse | { stats: Stats; place: Resource } => {
    const place = target(dav, request, caller);
    if (isAnswer(place)) return place;
    if (patched && etagOf(patched.stats) !== etagOf(place.stats))
      return plain(409, "Somebody else has changed the file meanwhile.");
    // A file that was deleted behind our back may have left properties.
    if (place.kind === "none") store.properties.removeTree(place.key);
    return { place, stats: staged.takePlace(place.file, place.stats) };
  });
  if ("status" in done) return done;

  dav.onChange(done.place.path);
  await fsyncDirectory(done.place.directory);
  return respond(done.place.kind === "none" ? 201 : 204, [
    ["ETag", etagOf(done.stats) ?? ""],
    ["Last-Modified", formatDate(done.stats.mtimeMs)],
  ]);
}

/** The place to write to, when this request may. */
function target(dav: DavContext, request: HttpRequest, caller: Caller): Resource | HttpResponse {
  const place = placeFor(dav, request.path);
  if (isAnswer(place)) return place;
  if (place.kind === "collection" || request.path.endsWith("/"))
    return plain(405, "A collection cannot be written to.", [
      ["Allow", "OPTIONS, GET, HEAD, PROPFIND"],
    ]);
  if (place.kind === "special") return plain(403, "This is not an ordinary file.");
  const itself: Claim = { key: place.key, reach: "itself" };
  const claims = place.kind === "none" ? [itself, ...parentClaim(place)] : [itself];
  return guard(dav, request, caller, place, claims) ?? place;
}

function refusedAtOnce(dav: DavContext, request: HttpRequest): HttpResponse | undefined {
  if ((request.contentLength ?? 0) > dav.config.max_body) return tooLarge();
  const coding = request.headers.get("content-encoding")?.trim().toLowerCase();
  // Stored as it is, it would later be sent without saying how it is coded.
  if (coding !== undefined && coding !== "identity" && coding !== "")
    return plain(415, "Only bodies without a content coding can be stored.", [
      ["Accept-Encoding", "identity"],
    ]);
  return undefined;
}

/** Write the body behind the hidden name. An answer means it was not the body that was announced. */
async function receive(
  dav: DavContext,
  request: HttpRequest,
  range: ContentRange | undefined,
  staged: StagedFile,
): Promise<HttpResponse | undefined> {
  const wanted = range ? range.last - range.first + 1 : request.contentLength;
  let received = 0;
  for await (const chunk of chunksOf(request)) {
    if (chunk === "broken") return plain(400, "The body ended early.");
    received += chunk.length;
    if (received > dav.config.max_body) return tooLarge();
    if (wanted !== undefined && received > wanted) break;
    await staged.write(chunk);
  }
  if (request.signal.aborted) return plain(400, "The body ended early.");
  return wanted === undefined || received === wanted
    ? undefined
    : plain(400, "The body is not as long as announced.");
}

/** A client that goes away breaks the stream: that is no fault of ours, unlike what writing may throw. */
async function* chunksOf(request: HttpRequest): AsyncGenerator<Uint8Array | "broken"> {
  if (!request.body) return;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const next = await reader.read().catch(() => "broken" as const);
      if (next === "broken") return yield next;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // a stream that broke cannot be cancelled, and need not be
  }
}

function rangeOf(request: HttpRequest): ContentRange | undefined | "unreadable" {
  const text = request.headers.get("content-range");
  if (text === null) return undefined;
  const range = parseContentRange(text);
  const length = range ? range.last - range.first + 1 : -1;
  return range && (request.contentLength ?? length) === length ? range : "unreadable";
}

function tooLarge(): HttpResponse {
  return { ...plain(413, "The body is larger than allowed here."), close: true };
}
