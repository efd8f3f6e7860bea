/** Pages that servers leave holes in are put together, of what the routes of the same proxy bring. */
import { toFetch } from "../../../net/fronts/fetch-adapter.ts";
import type { Log } from "../../../observe/log.ts";
import { EsiFault, type Include, parse } from "../../../wire/esi/parse.ts";
import {
  type Body,
  discard,
  type HttpRequest,
  type HttpResponse,
  settled,
} from "../../../wire/http/message.ts";
import { decodeTargetForOthers, type Target } from "../../../wire/http/path.ts";
import { flowOfStream } from "../cache/stream-flow.ts";
import { protocolsOf } from "../change.ts";
import type { Compression } from "../compression.ts";
import type { Passage } from "../passage.ts";
import type { Asked } from "../routes.ts";
import { forFragment, forPage } from "./asking.ts";
import { fieldsOfMade, isTemplate } from "./template.ts";

/** Pages within pages. */
const DEEPEST = 3;
/** Holes in one answer, those of its fragments included. */
const MOST_INCLUDES = 64;
/** Bytes read for one answer. */
const MOST_BYTES = 4 * 1024 * 1024;

export interface EsiParts {
  /** The route a request takes. */
  readonly find: (asked: Asked) => Passage | undefined;
  readonly compression: Compression | undefined;
  readonly log: Log;
}

/** What is left for one answer. */
interface Budget {
  includes: number;
  bytes: number;
}

export class Esi {
  readonly #parts: EsiParts;

  constructor(parts: EsiParts) {
    this.#parts = parts;
  }

  /** What is asked for may be a page. */
  static isFor(request: HttpRequest): boolean {
    const { body, method } = request;
    const reads = (method === "GET" || method === "HEAD") && body === undefined;
    return reads && protocolsOf(request) === null;
  }

  /** Answer a request by this route, and where a page has holes fill them. Never rejects for what servers do. */
  async answer(request: HttpRequest, passage: Passage): Promise<HttpResponse> {
    const page = await settled(passage.answer(forPage(request)));
    if (!isTemplate(page)) return page;
    const { headers } = page;
    if (page.body.kind === "none") return { ...page, headers: fieldsOfMade(headers) };
    const { compression, log } = this.#parts;
    try {
      const budget = { includes: MOST_INCLUDES, bytes: MOST_BYTES };
      const bytes = Buffer.concat(await this.#filled(page, request, budget, 0));
      const made = { ...page, headers: fieldsOfMade(headers), body: bodyOf(bytes) };
      return compression?.apply(made, request, bytes.length) ?? made;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const { host, path, signal } = request;
      if (!signal.aborted) log.warn("a page was not put together", { why, host, path });
      return passage.plain(502);
    }
  }

  /** All of a template, its holes filled. Rejects when that cannot be. */
  async #filled(
    page: HttpResponse,
    request: HttpRequest,
    budget: Budget,
    depth: number,
  ): Promise<Uint8Array[]> {
    const parts = parse((await read(page, budget)).toString("latin1"));
    const filled = await Promise.all(
      parts.map(async (part) =>
        typeof part === "string"
          ? [Buffer.from(part, "latin1")]
          : this.#included(part, request, budget, depth + 1),
      ),
    );
    return filled.flat();
  }

  async #included(
    { src, alt, optional }: Include,
    request: HttpRequest,
    budget: Budget,
    depth: number,
  ): Promise<Uint8Array[]> {
    try {
      return await this.#fragment(src, request, budget, depth);
    } catch (error) {
      if (alt === undefined) {
        if (optional) return [];
        throw error;
      }
    }
    try {
      return await this.#fragment(alt, request, budget, depth);
    } catch (error) {
      if (optional) return [];
      throw error;
    }
  }

  async #fragment(
    src: string,
    request: HttpRequest,
    budget: Budget,
    depth: number,
  ): Promise<Uint8Array[]> {
    if (depth > DEEPEST) throw new EsiFault(`pages within pages, deeper than ${DEEPEST}`);
    if (--budget.includes < 0) throw new EsiFault(`more than ${MOST_INCLUDES} includes`);
    const target = placeOf(src);
    const { host, headers } = request;
    const passage = this.#parts.find({ host, path: target.path, method: "GET", headers });
    if (passage === undefined) throw new EsiFault(`no route for ${src}`);
    const asking = forFragment(request, src, target, passage.expands);
    const fragment = await settled(passage.answer(asking));
    if (fragment.status !== 200) {
      discard(fragment);
      throw new EsiFault(`${fragment.status} for ${src}`);
    }
    return passage.expands && isTemplate(fragment)
      ? this.#filled(fragment, asking, budget, depth)
      : [await read(fragment, budget)];
  }
}

/**
 * Where an include leads: a path of the host that was asked for, from its root. Never to another
 * host: else whoever may write into a page could have the proxy ask anybody.
 */
function placeOf(src: string): Target {
  const target =
    src.startsWith("/") && !src.startsWith("//") ? decodeTargetForOthers(src) : undefined;
  if (target === undefined) throw new EsiFault(`not a path of this host: ${src}`);
  return target;
}

/** All of a body. Rejects when it breaks off, is too long or not plain text. */
async function read(response: HttpResponse, budget: Budget): Promise<Buffer> {
  const coding = response.headers.find(([name]) => name.toLowerCase() === "content-encoding");
  if (coding !== undefined) {
    discard(response);
    throw new EsiFault(`a page in ${coding[1]} although none was asked for`);
  }
  const { body } = toFetch(response, "GET", () => {});
  const pieces: Uint8Array[] = [];
  for await (const piece of body ?? []) {
    budget.bytes -= piece.length;
    if (budget.bytes < 0) throw new EsiFault(`more than ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** As a flow: that can be compressed. */
function bodyOf(bytes: Uint8Array): Body {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  return { kind: "flow", flow: flowOfStream(stream), length: bytes.length };
}
