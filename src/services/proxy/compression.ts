import { type Coding, negotiate } from "../../wire/http/encoding.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { CompressedFlow } from "./compressed-flow.ts";
import type { OneProxy } from "./config.ts";

type Rules = NonNullable<OneProxy["compress"]>;

/** Which responses are compressed on their way, and how. */
export class Compression {
  readonly #min: number;
  readonly #encodings: readonly Coding[];
  readonly #types: ReadonlySet<string>;
  /** `text/` for `text/*`. */
  readonly #kinds: readonly string[];

  constructor({ min, encodings, types }: Rules) {
    this.#min = min;
    this.#encodings = encodings;
    this.#types = new Set(types);
    this.#kinds = types.filter((type) => type.endsWith("/*")).map((type) => type.slice(0, -1));
  }

  /**
   * The response as this client gets it. `length`: what the server says of it. Where it could have
   * been compressed, it varies by what clients accept.
   */
  apply(response: HttpResponse, request: HttpRequest, length: number | undefined): HttpResponse {
    const { status, headers, body } = response;
    if (status !== 200 || (length !== undefined && length < this.#min)) return response;
    if (!this.#isWorth(headers)) return response;
    const coding = negotiate(request.headers.get("accept-encoding"), this.#encodings);
    const varied = withVary(headers);
    if (coding === "identity" || coding === "none") return { ...response, headers: varied };
    const kept = varied
      .filter(([name]) => !/^(content-length|accept-ranges|content-md5)$/i.test(name))
      .map(([name, value]) => [name, isEtag(name) ? weak(value) : value] as const);
    return {
      ...response,
      headers: [...kept, ["Content-Encoding", coding]],
      body:
        body.kind === "flow"
          ? { kind: "flow", flow: new CompressedFlow(body.flow, coding, body.length === undefined) }
          : body,
    };
  }

  #isWorth(headers: HttpResponse["headers"]): boolean {
    let type = "";
    for (const [name, value] of headers) {
      const lower = name.toLowerCase();
      if (lower === "content-encoding" || lower === "content-range") return false;
      if (lower === "cache-control" && /\bno-transform\b/i.test(value)) return false;
      if (lower === "content-type") type = value.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    }
    if (type === "text/event-stream") return false;
    return this.#types.has(type) || this.#kinds.some((kind) => type.startsWith(kind));
  }
}

function withVary(headers: HttpResponse["headers"]): HttpResponse["headers"] {
  const said = headers.some(
    ([name, value]) => name.toLowerCase() === "vary" && /\*|\baccept-encoding\b/i.test(value),
  );
  return said ? headers : [...headers, ["Vary", "Accept-Encoding"]];
}

function isEtag(name: string): boolean {
  return name.toLowerCase() === "etag";
}

/** The bytes are others (RFC 9110, 8.8.3.3). */
function weak(etag: string): string {
  return etag.startsWith("W/") ? etag : `W/${etag}`;
}
