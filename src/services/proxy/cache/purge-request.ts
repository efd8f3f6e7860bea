import { compileAccess } from "../../../core/cidr.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { BanKind } from "./bans.ts";
import type { CacheConfig } from "./config.ts";

/** What must not be used any more. */
export interface Purged {
  readonly kind: BanKind;
  readonly value: string;
}

/**
 * The method PURGE, as Varnish and its clients know it: of the URL with all its variants; of all
 * that begins so when it ends in "*"; of tags where a field names some.
 */
export class PurgeRequests {
  readonly #allowed: ((address: string) => boolean) | undefined;
  readonly #field: string;

  constructor({ allow, tags }: CacheConfig["purge"]) {
    this.#allowed = allow.length > 0 ? compileAccess(allow) : undefined;
    this.#field = tags;
  }

  /** Undefined when PURGE is a method like any other here. `url`: what is asked for, as a key. */
  answer(
    request: HttpRequest,
    url: string,
    purge: (what: readonly Purged[]) => number,
  ): HttpResponse | undefined {
    if (this.#allowed === undefined) return undefined;
    if (!this.#allowed(request.client.address)) return respond(403, [], "403\n");
    const tags = (request.headers.get(this.#field) ?? "")
      .split(/[\s,]+/)
      .filter((tag) => tag !== "");
    const what: Purged[] =
      tags.length > 0
        ? tags.map((value) => ({ kind: "tag", value }))
        : [
            url.endsWith("*")
              ? { kind: "prefix", value: url.slice(0, -1) }
              : { kind: "url", value: url },
          ];
    const bytes = new TextEncoder().encode(`{"purged":${purge(what)}}\n`);
    return {
      status: 200,
      headers: [["Content-Type", "application/json"]],
      body: { kind: "pieces", pieces: [bytes] },
    };
  }
}
