/** Where in the console somebody is; the address after `#`. */
export type Route =
  | { readonly page: "overview" | "pools" | "balance" | "events" | "users" }
  | { readonly page: "pool" | "balance-service" | "service"; readonly name: string }
  | { readonly page: "config"; readonly tab: "running" | "edit" | "diff" }
  | { readonly page: "lost" };

/** `#/pool/app` */
export function parseRoute(hash: string): Route {
  const [page = "", name] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decoded);
  switch (page) {
    case "":
      return { page: "overview" };
    case "pools":
    case "events":
    case "users":
      return { page };
    case "balance":
      return name ? { page: "balance-service", name } : { page };
    case "pool":
    case "service":
      return name ? { page, name } : { page: "lost" };
    case "config":
      if (name === undefined) return { page, tab: "running" };
      return name === "edit" || name === "diff" ? { page, tab: name } : { page: "lost" };
    default:
      return { page: "lost" };
  }
}

/** The address of a place: `href("pool", "a/b")`. */
export function href(...path: readonly string[]): string {
  return `#/${path.map(encodeURIComponent).join("/")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
