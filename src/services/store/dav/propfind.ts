/** PROPFIND (RFC 4918, 9.1) over all members. */
import { plain, refuse } from "../../../net/dav/answers.ts";
import { described, describer } from "../../../net/dav/describe.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
import { type Depth, parseDepth } from "../../../wire/dav/depth.ts";
import { EVERYTHING, parsePropfind } from "../../../wire/dav/propfind.ts";
import type { HttpResponse } from "../../../wire/http/message.ts";
import type { Node } from "../tree/tree.ts";
import { type Call, type DavContext, hrefOf } from "./context.ts";
import { ALL_LIVE, EVERY_LIVE, liveProperty } from "./live-properties.ts";
import { existing, isAnswer } from "./place.ts";

/** Depth infinity ends here: beyond it a client has to walk by itself (RFC 4918, 9.1). */
const MAX_INFINITE = 10_000;

export async function propfind(dav: DavContext, call: Call): Promise<HttpResponse> {
  const { request, view } = call;
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined) return plain(400, "Depth must be 0, 1 or infinity.");
  const body = await readXml(request);
  if (body.kind === "refused") return body.answer;
  const asked = body.kind === "empty" ? EVERYTHING : parsePropfind(body.root);
  if (!asked) return plain(400, "The body is no propfind.");
  const there = await existing(dav, call);
  if (isAnswer(there)) return there;
  const batches = await listing(dav, view, there.node, depth);
  if (batches === "too many") return refuse(403, "propfind-finite-depth");
  const describe = describer<Node>(asked, {
    href: ({ path, kind }) => hrefOf(call, path, kind === "collection"),
    live: (node, name) => liveProperty(dav, call, node, name),
    dead: ({ path }) => dav.store().properties.of(path),
    all: ALL_LIVE,
    every: EVERY_LIVE,
  });
  return described(batches, describe);
}

/** The resource and those beneath it, in batches. */
async function listing(
  dav: DavContext,
  view: Call["view"],
  top: Node,
  depth: Depth,
): Promise<AsyncIterable<readonly Node[]> | "too many"> {
  if (top.kind === "file" || depth === 0) return one([top]);
  const members = dav.tree.members(view, top.path);
  if (depth === 1) {
    // Asked for before the answer begins: that it cannot be told is an answer too.
    const first = await members.next();
    return pages([top, ...(first.value ?? [])], members);
  }
  const all: Node[] = [top];
  // Grows while it is walked: breadth first, without recursion.
  for (const node of all) {
    if (node.kind === "file") continue;
    for await (const batch of dav.tree.members(view, node.path)) {
      all.push(...batch);
      if (all.length > MAX_INFINITE) return "too many";
    }
  }
  return one(all);
}

async function* one(batch: readonly Node[]): AsyncGenerator<readonly Node[]> {
  yield batch;
}

async function* pages(
  first: readonly Node[],
  rest: AsyncIterable<readonly Node[]>,
): AsyncGenerator<readonly Node[]> {
  yield first;
  yield* rest;
}
