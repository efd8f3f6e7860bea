/** Answers to browsers that ask on behalf of other sites (Fetch standard, "CORS protocol"). */
import * as v from "valibot";

import { headerName } from "../../config/http.ts";
import { key } from "../../config/key.ts";
import { duration } from "../../config/scalars.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../wire/http/message.ts";

const origin = v.pipe(
  v.string(),
  v.regex(/^(\*|https?:\/\/(\*\.)?[a-z0-9.-]+(:\d+)?)$/, 'expected "https://a.example" or "*"'),
);

const keys = v.strictObject({
  origins: v.pipe(
    v.array(origin),
    v.minLength(1),
    v.description('Sites whose pages may ask: "https://a.example", "https://*.a.example" or "*".'),
  ),
  methods: key(v.array(v.string()), ["GET", "HEAD", "POST"], "What they may ask."),
  headers: key(v.array(headerName), [], "Fields they may send beyond the simple ones."),
  expose: key(v.array(headerName), [], "Fields of responses that their scripts may read."),
  credentials: key(v.boolean(), false, "Their requests may carry cookies and logins."),
  max_age: key(duration, "10m", "How long browsers remember the permission."),
});

export const corsSchema = v.pipe(
  keys,
  v.check(
    ({ origins, credentials }) => !(credentials && origins.includes("*")),
    'with `credentials` every origin has to be named: "*" would let any site act for its visitors',
  ),
);
export type CorsConfig = v.InferOutput<typeof keys>;

type Field = readonly [name: string, value: string];

/** The rules of one route. */
export class Cors {
  readonly #config: CorsConfig;
  readonly #any: boolean;

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#any = config.origins.includes("*");
  }

  /** The answer to a browser that asks whether it may ask; undefined for all other requests. */
  preflight(request: HttpRequest): HttpResponse | undefined {
    const { headers, method } = request;
    if (method !== "OPTIONS" || !headers.has("access-control-request-method")) return undefined;
    const fields = this.#permission(request);
    const { methods, headers: allowed, max_age: maxAge } = this.#config;
    if (fields.some(([name]) => name === "Access-Control-Allow-Origin")) {
      fields.push(["Access-Control-Allow-Methods", methods.join(", ")]);
      if (allowed.length > 0) fields.push(["Access-Control-Allow-Headers", allowed.join(", ")]);
      fields.push(["Access-Control-Max-Age", String(Math.floor(maxAge / 1000))]);
    }
    return respond(204, fields);
  }

  /** The response with what browsers want to know; what servers say of it does not count. */
  tell(request: HttpRequest, response: HttpResponse): HttpResponse {
    const kept = response.headers.filter(([name]) => !/^access-control-/i.test(name));
    const fields = this.#permission(request);
    const { expose } = this.#config;
    if (expose.length > 0) fields.push(["Access-Control-Expose-Headers", expose.join(", ")]);
    return { ...response, headers: [...kept, ...fields] };
  }

  #permission({ headers }: HttpRequest): Field[] {
    const { credentials } = this.#config;
    if (this.#any) return [["Access-Control-Allow-Origin", "*"]];
    const fields: Field[] = [["Vary", "Origin"]];
    const asked = headers.get("origin");
    if (asked === null || !this.#config.origins.some((one) => fits(one, asked))) return fields;
    fields.push(["Access-Control-Allow-Origin", asked]);
    if (credentials) fields.push(["Access-Control-Allow-Credentials", "true"]);
    return fields;
  }
}

/** `https://*.a.example` fits `https://b.a.example`, not `https://a.example`. */
function fits(pattern: string, origin: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === origin;
  const name = origin.slice(star, origin.length - (pattern.length - star - 1));
  return (
    origin.startsWith(pattern.slice(0, star)) &&
    origin.endsWith(pattern.slice(star + 1)) &&
    /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name)
  );
}
