/** What PROPFIND says of one resource (RFC 4918, 9.1), and of many, as they are found. */
import {
  emptyProp,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  propResponse,
  type Propstat,
  XML_TYPE,
} from "../../wire/dav/multistatus.ts";
import { clark, DAV, type PropertyName } from "../../wire/dav/property-name.ts";
import type { Propfind } from "../../wire/dav/propfind.ts";
import type { HttpResponse } from "../../wire/http/message.ts";
import type { Property } from "./properties.ts";

/** What is known of resources. */
export interface Knowledge<Resource> {
  /** Escaped. */
  href(resource: Resource): string;
  /** The whole element of a property that the server itself knows; undefined when it has none. */
  live(resource: Resource, name: PropertyName): string | undefined;
  /** What PROPPATCH has set. */
  dead(resource: Resource): readonly Property[];
  /** Live properties that `allprop` answers. */
  readonly all: readonly string[];
  /** Live properties that `propname` answers. */
  readonly every: readonly string[];
}

/** A 207 that is made as it is sent: a large collection fills no memory. */
export function described<Resource>(
  batches: AsyncIterable<readonly Resource[]>,
  describe: (resource: Resource) => string,
): HttpResponse {
  return {
    status: 207,
    headers: [
      ["Content-Type", XML_TYPE],
      ["Cache-Control", "no-store"],
    ],
    body: { kind: "stream", stream: streamOf(pages(batches, describe)) },
  };
}

async function* pages<Resource>(
  batches: AsyncIterable<readonly Resource[]>,
  describe: (resource: Resource) => string,
): AsyncGenerator<string> {
  let opening = MULTISTATUS_OPEN;
  for await (const batch of batches) {
    yield opening + batch.map(describe).join("");
    opening = "";
  }
  yield opening + MULTISTATUS_CLOSE;
}

/** How to describe one resource: decided once for all of them. */
export function describer<Resource>(
  asked: Propfind,
  known: Knowledge<Resource>,
): (resource: Resource) => string {
  const inDav = (name: string): PropertyName => ({ ns: DAV, name });
  const [all, every] = [known.all.map(inDav), known.every.map(inDav)];
  switch (asked.kind) {
    case "prop":
      return (r) => {
        const dead = lazily(() => known.dead(r));
        const { there, missing } = look(known, r, asked.names, dead);
        return propResponse(known.href(r), [found(there), absent(missing)]);
      };
    case "propname":
      return (r) => {
        const live = every.filter((name) => known.live(r, name) !== undefined);
        const names = unique([...live, ...known.dead(r)]);
        return propResponse(known.href(r), [found(names.map(emptyProp))]);
      };
    case "allprop":
      return (r) => {
        const mine = known.dead(r);
        const usual = unique([...all, ...mine]);
        const usually = new Set(usual.map(clark));
        const named = unique(asked.include).filter((name) => !usually.has(clark(name)));
        const { there } = look(known, r, usual, () => mine); // what a resource has not is no news here
        const more = look(known, r, named, () => mine);
        return propResponse(known.href(r), [
          found([...there, ...more.there]),
          absent(more.missing),
        ]);
      };
  }
}

function found(props: readonly string[]): Propstat {
  return { status: 200, props };
}

function absent(props: readonly string[]): Propstat {
  return { status: 404, props };
}

/** Elements of the named properties, and empty ones for those that are not there. */
function look<Resource>(
  known: Knowledge<Resource>,
  resource: Resource,
  names: readonly PropertyName[],
  dead: () => readonly Property[],
): { readonly there: readonly string[]; readonly missing: readonly string[] } {
  const there: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const value = valueOf(known, resource, name, dead);
    if (value === undefined) missing.push(emptyProp(name));
    else there.push(value);
  }
  return { there, missing };
}

/** Undefined when the resource has no such property. What PROPPATCH has set overrules a default. */
function valueOf<Resource>(
  known: Knowledge<Resource>,
  resource: Resource,
  name: PropertyName,
  dead: () => readonly Property[],
): string | undefined {
  // The store is asked only when the file itself cannot tell, or when it may have been overruled.
  const live =
    name.ns === DAV && name.name !== "displayname" ? known.live(resource, name) : undefined;
  if (live !== undefined) return live;
  const set = dead().find((p) => p.ns === name.ns && p.name === name.name)?.value;
  return set ?? known.live(resource, name);
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
