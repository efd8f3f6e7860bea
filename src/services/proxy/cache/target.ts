/** What tells URLs apart: path and query, as the operator wants them read. */
import type { HttpRequest } from "../../../wire/http/message.ts";
import { originForm } from "../target.ts";
import type { CacheConfig } from "./config.ts";

type Query = CacheConfig["query"];

/** Path and query, normalised as `query` says. */
export function targetOf({ target }: HttpRequest, query: Query): string {
  return normalised(originForm(target), query);
}

/** `host/path?query` of a URL, with or without its scheme; undefined when there is no host. */
export function urlKey(url: string, query: Query): string | undefined {
  const [, host, rest = ""] = /^(?:https?:\/\/)?([^/?#\s]+)([^#\s]*)(?:#\S*)?$/i.exec(url) ?? [];
  if (host === undefined) return undefined;
  return host.toLowerCase() + normalised(rest.startsWith("/") ? rest : `/${rest}`, query);
}

function normalised(target: string, { sort, drop }: Query): string {
  const mark = target.indexOf("?");
  if (mark < 0 || (!sort && drop.length === 0)) return target;
  const kept = target
    .slice(mark + 1)
    .split("&")
    .filter((parameter) => !isDropped(parameter, drop));
  if (sort) kept.sort(); // the whole parameter: repeated names keep no order either
  return kept.length === 0 ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept.join("&")}`;
}

function isDropped(parameter: string, drop: readonly string[]): boolean {
  const equals = parameter.indexOf("=");
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  return drop.some((rule) =>
    rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : name === rule,
  );
}
