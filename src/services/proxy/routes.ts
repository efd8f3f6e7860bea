import type { RouteConfig } from "./config.ts";

/** A table of routes, the most exact first. */
export class Routes {
  readonly #exact = new Map<string, RouteConfig[]>();
  /** By length of the suffix, longest first: `*.b.example` before `*.example`. */
  readonly #wild: [suffix: string, routes: RouteConfig[]][] = [];
  readonly #any: RouteConfig[] = [];

  constructor(routes: readonly RouteConfig[]) {
    for (const route of routes) this.#listFor(route.host).push(route);
    this.#wild.sort(([a], [b]) => b.length - a.length);
    for (const list of [...this.#exact.values(), ...this.#wild.map(([, all]) => all), this.#any])
      list.sort((a, b) => b.path.length - a.path.length); // stable: the file's order decides
  }

  /** Every name that a route is for, for the listener. */
  static hosts(routes: readonly RouteConfig[]): string[] {
    return [...new Set(routes.map((route) => route.host))];
  }

  /**
   * The route for a request: of those whose host, path and method fit, the most exact host wins,
   * then the longest path. Hosts are lower case, without port.
   */
  find(host: string, path: string, method: string): RouteConfig | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) {
      const found = first(exact, path, method);
      if (found !== undefined) return found;
    }
    for (const [suffix, list] of this.#wild) {
      if (!host.endsWith(suffix) || host.length === suffix.length) continue;
      const found = first(list, path, method);
      if (found !== undefined) return found;
    }
    return first(this.#any, path, method);
  }

  #listFor(host: string): RouteConfig[] {
    if (host === "*") return this.#any;
    if (host.startsWith("*.")) {
      const suffix = host.slice(1);
      const known = this.#wild.find(([text]) => text === suffix)?.[1];
      if (known !== undefined) return known;
      const list: RouteConfig[] = [];
      this.#wild.push([suffix, list]);
      return list;
    }
    let list = this.#exact.get(host);
    if (list === undefined) this.#exact.set(host, (list = []));
    return list;
  }
}

function first(
  list: readonly RouteConfig[],
  path: string,
  method: string,
): RouteConfig | undefined {
  return list.find(
    (route) =>
      path.startsWith(route.path) && (route.methods.length === 0 || route.methods.includes(method)),
  );
}
