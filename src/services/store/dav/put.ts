/** PUT (RFC 9110, 9.3.4; RFC 4918, 9.7): a file as a whole, or a part of one. */
import { plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
import { type ContentRange, parseContentRange } from "../../../wire/dav/content-range.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { etagOf } from "../answer.ts";
import { clientTime } from "../client-time.ts";
import { wishedEnd } from "../expiry.ts";
import { openToRead } from "../read.ts";
import { sameVersion } from "../record.ts";
import { type FileNode, NotKept } from "../tree/tree.ts";
import { undecided } from "../troubles.ts";
import type { Verified } from "../verified.ts";
import type { Call, DavContext } from "./context.ts";
import { guard, stillMay } from "./guard.ts";
import { readSum, type Sum, summed, WrongSum } from "./oc-checksum.ts";
import { isAnswer, parentClaim, type Place, placeFor } from "./place.ts";

export async function put(dav: DavContext, call: Call): Promise<HttpResponse> {
  const { request, view, path } = call;
  const range = rangeOf(request);
  if (range === "unreadable") return plain(400, "The Content-Range cannot be used.");
  const sum = readSum(request.headers.get("oc-checksum"));
  if (sum === "unknown") return plain(400, "The OC-Checksum is of no kind known here.");
  const until = wishedEnd(request.headers, dav.now());
  if (until === "unreadable") return plain(400, "That is no time to come.");
  const place = await placeFor(dav, view, path);
  if (isAnswer(place)) return place;
  if (place.node?.kind === "collection" || call.slash)
    return plain(405, "A collection cannot be written to.", [
      ["Allow", "OPTIONS, GET, HEAD, PROPFIND"],
    ]);
  const claims = claimsOf(place);
  const refused = await guard(dav, call, place, claims);
  if (refused) return refused;
  if (range === undefined) return keep(dav, call, chunksOf(request), sum, claims);
  return change(dav, call, range, place.node, claims);
}

async function keep(
  dav: DavContext,
  call: Call,
  body: AsyncIterable<Uint8Array>,
  sum: Sum | undefined,
  claims: readonly Claim[],
  unless: (newest: Parameters<typeof stillMay>[2]) => HttpResponse | undefined = () => undefined,
): Promise<HttpResponse> {
  const { request } = call;
  const mtime = clientTime(request);
  const until = wishedEnd(request.headers, dav.now());
  const about = {
    type: request.headers.get("content-type") ?? undefined,
    size: request.headers.has("content-range") ? undefined : request.contentLength,
    mtime,
    until: until === "unreadable" ? undefined : until,
    ...(sum !== undefined && { meta: () => ({ oc: `${sum.kind}:${sum.hex}` }) }),
  };
  let refused: HttpResponse | undefined;
  try {
    const passing = sum === undefined ? body : summed(body, sum);
    const written = await dav.tree.put(call.view, call.path, passing, about, (newest) => {
      refused = stillMay(dav, call, newest, claims) ?? unless(newest);
      return refused === undefined;
    });
    if (refused !== undefined) return refused;
    if (written.kind === "too-few") throw new NotKept(written.trouble, written.why);
    if (written.kind === "no") return changed();
    const { version, before } = written;
    const fresh = before === undefined || before.kind === "deleted";
    if (fresh) await dav.store().forgetProperties(call.path); // of a file deleted by other doors
    return respond(fresh ? 201 : 204, [
      ["ETag", etagOf(version) ?? ""],
      ...(mtime !== undefined && request.headers.has("x-oc-mtime")
        ? ([["X-OC-MTime", "accepted"]] as const)
        : []),
    ]);
  } catch (error) {
    if (error instanceof WrongSum) return plain(400, "The body is not what its checksum says.");
    if (error instanceof WrongLength) return plain(400, "The body is not as long as announced.");
    throw error;
  }
}

/** A new version out of the old one, with these bytes in their place. No holes. */
async function change(
  dav: DavContext,
  call: Call,
  range: ContentRange,
  node: FileNode | undefined,
  claims: readonly Claim[],
): Promise<HttpResponse> {
  const size = node?.version.size ?? 0;
  if (range.first > size)
    return plain(416, "There would be a hole in front of that.", [
      ["Content-Range", `bytes */${size}`],
    ]);
  if (node === undefined) return keep(dav, call, part(call.request, range), undefined, claims);
  const opened = await openToRead(node.shelf, node.name, () => 0);
  if (opened.kind === "unsure") return undecided();
  if (opened.kind !== "open" || !sameVersion(opened.body.version, node.version)) return changed();
  const old = opened.body;
  try {
    return await keep(dav, call, patched(call.request, old, range), undefined, claims, (newest) =>
      newest !== undefined && sameVersion(newest, old.version) ? undefined : changed(),
    );
  } finally {
    old.close();
  }
}

function changed(): HttpResponse {
  return plain(409, "Somebody else has changed the file meanwhile.");
}

async function* patched(
  request: HttpRequest,
  old: Verified,
  range: ContentRange,
): AsyncGenerator<Uint8Array, void> {
  const { size } = old.version;
  yield* old.bytes(0, range.first);
  yield* part(request, range);
  if (range.last + 1 < size) yield* old.bytes(range.last + 1, size);
}

/** The body is longer or shorter than its range. */
class WrongLength extends Error {}

async function* part(
  request: HttpRequest,
  { first, last }: ContentRange,
): AsyncGenerator<Uint8Array, void> {
  let left = last - first + 1;
  for await (const bytes of chunksOf(request)) {
    left -= bytes.length;
    if (left < 0) throw new WrongLength();
    yield bytes;
  }
  if (left > 0) throw new WrongLength();
}

function claimsOf({ path, node }: Place): Claim[] {
  const itself: Claim = { key: path, reach: "itself" };
  return node === undefined ? [itself, ...parentClaim(path)] : [itself];
}

async function* chunksOf({ body }: HttpRequest): AsyncGenerator<Uint8Array, void> {
  if (body !== undefined) yield* body;
}

function rangeOf({ headers, contentLength }: HttpRequest): ContentRange | undefined | "unreadable" {
  const text = headers.get("content-range");
  if (text === null) return undefined;
  const range = parseContentRange(text);
  const length = range ? range.last - range.first + 1 : -1;
  return range && (contentLength ?? length) === length ? range : "unreadable";
}
