/** PROPFIND (RFC 4918, 9.1). The answer is made as it is sent: a large directory fills no memory. */
import { parseDepth } from "../../../wire/dav/depth.ts";
import { href } from "../../../wire/dav/href.ts";
import {
  emptyProp,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  propResponse,
  type Propstat,
  XML_TYPE,
} from "../../../wire/dav/multistatus.ts";
import { clark, DAV, type PropertyName } from "../../../wire/dav/property-name.ts";
import { EVERYTHING, parsePropfind, type Propfind } from "../../../wire/dav/propfind.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import { plain, refuse } from "./answers.ts";
import type { DavContext } from "./context.ts";
import { listing } from "./listing.ts";
import { ALL_LIVE, type Described, EVERY_LIVE, liveProperty } from "./live-properties.ts";
import { existing, isAnswer } from "./place.ts";
import type { Property } from "./properties.ts";
import { readXml } from "./read-xml.ts";

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
  return {
    status: 207,
    headers: [
      ["Content-Type", XML_TYPE],
      ["Cache-Control", "no-store"],
    ],
    body: { kind: "stream", stream: streamOf(pages(dav, asked, batches)) },
  };
}

async function* pages(
  dav: DavContext,
  asked: Propfind,
  batches: AsyncIterable<readonly Described[]>,
): AsyncGenerator<string> {
  const show = shower(dav, asked);
  let opening = MULTISTATUS_OPEN;
  for await (const batch of batches) {
    yield opening + batch.map(show).join("");
    opening = "";
  }
  yield opening + MULTISTATUS_CLOSE;
}

/** How to describe one resource: decided once for all of them. */
function shower(dav: DavContext, asked: Propfind): (resource: Described) => string {
  const hrefOf = (r: Described): string => href(r.path, r.kind === "collection");
  const dead = (r: Described): readonly Property[] => dav.store().properties.of(r.key);
  switch (asked.kind) {
    case "prop":
      return (r) => {
        const { there, missing } = look(
          dav,
          r,
          asked.names,
          lazily(() => dead(r)),
        );
        return propResponse(hrefOf(r), [found(there), absent(missing)]);
      };
    case "propname":
      return (r) => {
        const live = EVERY.filter((name) => liveProperty(dav, r, name) !== undefined);
        return propResponse(hrefOf(r), [found(unique([...live, ...dead(r)]).map(emptyProp))]);
      };
    case "allprop":
      return (r) => {
        const mine = dead(r);
        const all = unique([...ALL, ...mine]);
        const known = new Set(all.map(clark));
        const named = unique(asked.include).filter((name) => !known.has(clark(name)));
        const { there } = look(dav, r, all, () => mine); // what a resource has not is no news here
        const more = look(dav, r, named, () => mine);
        return propResponse(hrefOf(r), [found([...there, ...more.there]), absent(more.missing)]);
      };
  }
}

const ALL = ALL_LIVE.map((name) => ({ ns: DAV, name }));
const EVERY = EVERY_LIVE.map((name) => ({ ns: DAV, name }));

function found(props: readonly string[]): Propstat {
  return { status: 200, props };
}

function absent(props: readonly string[]): Propstat {
  return { status: 404, props };
}

/** Elements of the named properties, and empty ones for those that are not there. */
function look(
  dav: DavContext,
  resource: Described,
  names: readonly PropertyName[],
  dead: () => readonly Property[],
): { readonly there: readonly string[]; readonly missing: readonly string[] } {
  const there: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const value = valueOf(dav, resource, name, dead);
    if (value === undefined) missing.push(emptyProp(name));
    else there.push(value);
  }
  return { there, missing };
}

/** Undefined when the resource has no such property. What PROPPATCH has set overrules a default. */
function valueOf(
  dav: DavContext,
  resource: Described,
  name: PropertyName,
  dead: () => readonly Property[],
): string | undefined {
  // The store is asked only when the file itself cannot tell, or when it may have been overruled.
  const live =
    name.ns === DAV && name.name !== "displayname" ? liveProperty(dav, resource, name) : undefined;
  if (live !== undefined) return live;
  const set = dead().find((p) => p.ns === name.ns && p.name === name.name)?.value;
  return set ?? liveProperty(dav, resource, name);
}

function unique(names: readonly PropertyName[]): PropertyName[] {
  return [...new Map(names.map((n) => [clark(n), n])).values()];
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A stream that makes its next piece when somebody wants it. */
function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await texts.next();
      if (next.done) controller.close();
      else controller.enqueue(utf8.encode(next.value));
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
}
