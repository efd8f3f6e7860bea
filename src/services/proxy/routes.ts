import type { Fields } from "../../wire/http/message.ts";

/** Which requests something is for. */
export interface Match {
  readonly host: string;
  readonly path: string;
  readonly methods: readonly string[];
  /** Fields that a request must have; "*" is any value. */
  readonly when?: Readonly<Record<string, string>> | undefined;
}

/** What decides about the route of a request. The host is in lower case, without port. */
export interface Asked {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Pick<Fields, "get">;
}

/** A table of routes, the most exact first. */
export class Routes<R extends Match> {
  readonly #exact = new Map<string, R[]>();
  /** By length of the suffix, longest first: `*.b.example` before `*.example`. */
  readonly #wild: [suffix: string, routes: R[]][] = [];
  readonly #any: R[] = [];

  constructor(routes: readonly R[]) {
    for (const route of routes) this.#listFor(route.host).push(route);
    this.#wild.sort(([a], [b]) => b.length - a.length);
    for (const list of [...this.#exact.values(), ...this.#wild.map(([, all]) => all), this.#any])
      list.sort(byExactness);
  }

  /** Every name that a route is for, for the listener. */
  static hosts(routes: readonly Match[]): string[] {
    return [...new Set(routes.map((route) => route.host))];
  }

  /**
   * The route for a request: of those that fit, the most exact host wins, then the longest path,
   * then one that asks for fields, then the order of the file.
   */
  find(asked: Asked): R | undefined {
    const { host } = asked;
    const exact = this.#exact.get(host);
    if (exact !== undefined) {
      const found = first(exact, asked);
      if (found !== undefined) return found;
    }
    for (const [suffix, list] of this.#wild) {
      if (!host.endsWith(suffix) || host.length === suffix.length) continue;
      const found = first(list, asked);
      if (found !== undefined) return found;
    }
    return first(this.#any, asked);
  }

  #listFor(host: string): R[] {
    if (host === "*") return this.#any;
    if (host.startsWith("*.")) {
      const suffix = host.slice(1);
      const known = this.#wild.find(([text]) => text === suffix)?.[1];
      if (known !== undefined) return known;
      const list: R[] = [];
      this.#wild.push([suffix, list]);
      return list;
    }
    let list = this.#exact.get(host);
    if (list === undefined) this.#exact.set(host, (list = []));
    return list;
  }
}

/** For a sort that is stable: where it says 0, the file's order decides. */
function byExactness(a: Match, b: Match): number {
  const path = b.path.length - a.path.length;
  if (path !== 0) return path;
  return Object.keys(b.when ?? {}).length - Object.keys(a.when ?? {}).length;
}

function first<R extends Match>(list: readonly R[], asked: Asked): R | undefined {
  for (const route of list) {
    const { path, methods, when } = route;
    if (!asked.path.startsWith(path)) continue;
    if (methods.length > 0 && !methods.includes(asked.method)) continue;
    if (when === undefined || fits(when, asked.headers)) return route;
  }
  return undefined;
}

function fits(when: Readonly<Record<string, string>>, headers: Pick<Fields, "get">): boolean {
  return Object.entries(when).every(([name, wanted]) => {
    const value = headers.get(name);
    if (value === null) return false;
    if (wanted === "*" || value === wanted) return true;
    return /^cookie$/i.test(name) && value.split(";").some((pair) => pair.trim() === wanted);
  });
}
