/** Cache-Control and its like (RFC 9111, 5.2; RFC 9213 for one cache only). */

/** Longest a number of seconds can be: larger ones count as this (RFC 9111, 1.2.2). */
const MOST_SECONDS = 2 ** 31;

/** What was said, seconds as numbers; a directive with fields (`no-cache="set-cookie"`) as their names. */
export interface Directives {
  readonly noStore: boolean;
  readonly noCache: boolean | readonly string[];
  readonly private: boolean | readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  readonly immutable: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAge: number | undefined;
  readonly sMaxage: number | undefined;
  readonly minFresh: number | undefined;
  /** Infinity when any staleness will do. */
  readonly maxStale: number | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
}

export const NOTHING_SAID: Directives = {
  noStore: false,
  noCache: false,
  private: false,
  public: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  mustUnderstand: false,
  noTransform: false,
  immutable: false,
  onlyIfCached: false,
  maxAge: undefined,
  sMaxage: undefined,
  minFresh: undefined,
  maxStale: undefined,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
};

/** name [ "=" ( token / quoted-string ) ], with what is between two of them. */
const DIRECTIVE =
  /[\s,]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?[ \t]*(?=,|$)/y;

type Writable = { -readonly [K in keyof Directives]: Directives[K] };

/**
 * Read a field value. Unknown directives are passed over. A lifetime that is no number, or said
 * twice with different numbers, counts as 0: such a response is stale (RFC 9111, 4.2.1). What
 * cannot be read at all ends the reading, and counts as `no-store`: better asked for than wrong.
 */
export function parseCacheControl(value: string | undefined): Directives {
  if (value === undefined || value === "") return NOTHING_SAID;
  const said: Writable = { ...NOTHING_SAID };
  DIRECTIVE.lastIndex = 0;
  let end = 0;
  for (let found; (found = DIRECTIVE.exec(value)) !== null; end = DIRECTIVE.lastIndex) {
    const [, name = "", quoted, token] = found;
    understand(said, name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? token);
  }
  if (/[^\s,]/.test(value.slice(end))) said.noStore = true;
  return said;
}

function understand(said: Writable, name: string, argument: string | undefined): void {
  switch (name) {
    case "no-store":
      said.noStore = true;
      break;
    case "no-cache":
      said.noCache = fields(said.noCache, argument);
      break;
    case "private":
      said.private = fields(said.private, argument);
      break;
    case "public":
      said.public = true;
      break;
    case "must-revalidate":
      said.mustRevalidate = true;
      break;
    case "proxy-revalidate":
      said.proxyRevalidate = true;
      break;
    case "must-understand":
      said.mustUnderstand = true;
      break;
    case "no-transform":
      said.noTransform = true;
      break;
    case "immutable":
      said.immutable = true;
      break;
    case "only-if-cached":
      said.onlyIfCached = true;
      break;
    case "max-age":
      said.maxAge = seconds(said.maxAge, argument);
      break;
    case "s-maxage":
      said.sMaxage = seconds(said.sMaxage, argument);
      break;
    case "min-fresh":
      said.minFresh = seconds(said.minFresh, argument);
      break;
    case "max-stale":
      said.maxStale = argument === undefined ? Infinity : seconds(said.maxStale, argument);
      break;
    case "stale-while-revalidate":
      said.staleWhileRevalidate = seconds(said.staleWhileRevalidate, argument);
      break;
    case "stale-if-error":
      said.staleIfError = seconds(said.staleIfError, argument);
      break;
  }
}

/** The whole directive wins over one for some fields. */
function fields(
  before: boolean | readonly string[],
  argument: string | undefined,
): boolean | readonly string[] {
  if (before === true || argument === undefined) return true;
  const names = argument
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  return [...(before === false ? [] : before), ...names];
}

function seconds(before: number | undefined, argument: string | undefined): number {
  const now = /^\d+$/.test(argument ?? "") ? Math.min(Number(argument), MOST_SECONDS) : 0;
  return before === undefined || before === now ? now : 0;
}
