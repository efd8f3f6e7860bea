import { stringify } from "yaml";

import { isLoopback } from "../../../core/loopback.ts";
import type { Problem } from "../../problem.ts";
import {
  type Admin,
  type Director,
  type Group,
  type Host,
  type Service,
  SERVICE_KEYS,
} from "./director.ts";
import { unused } from "./new-names.ts";
import { readDirector } from "./read.ts";
import type { Note } from "./report.ts";

/** As services/pools takes them. */
const MAX_POOL_NAME = 100;

export type Imported =
  | { readonly ok: true; readonly yaml: string; readonly notes: readonly Note[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * A pythondirector's XML as YAML that the loader takes, with a note for each thing it could not
 * carry. Every group becomes a pool named `service-group`.
 */
export function importPydir(text: string, file: string): Imported {
  const read = readDirector(text, file);
  if (!read.ok) return read;
  const head = `# From ${oneLine(file)}, by \`tern import\`. Check it with \`tern check -c FILE\`.\n`;
  return { ok: true, yaml: `${head}\n${directorYaml(read.director)}`, notes: read.notes };
}

/** The sections that do what the director did. */
export function directorYaml({ services, admin, logging, checktime }: Director): string {
  const names = poolNames(services);
  const pools = services.flatMap((service) =>
    service.groups.map((group) => [names(group), poolYaml(group, checktime)] as const),
  );
  return [
    admin && adminYaml(admin),
    logging !== undefined && `log: ${flow({ file: logging })}\n`,
    section("pools", pools),
    section(
      "balance",
      services.map((service) => [service.name, serviceYaml(service, names)] as const),
    ),
  ]
    .filter((part) => typeof part === "string")
    .join("\n");
}

/** `service-group`, and a number behind it when two would be the same: a-b/c and a/b-c. */
function poolNames(services: readonly Service[]): (group: Group) => string {
  const taken = new Set<string>();
  const names = new Map<Group, string>();
  for (const service of services)
    for (const group of service.groups) {
      const name = unused(`${service.name}-${group.name}`, taken, MAX_POOL_NAME);
      taken.add(name);
      names.set(group, name);
    }
  return (group) => names.get(group) ?? "";
}

function adminYaml({ listen, secure, users }: Admin): string {
  const host = listen.split(":", 1)[0] ?? "";
  // Nobody could log in to the old one; here strangers could look.
  const open = users.length > 0 || isLoopback(host);
  const lines = [`  listen: ${list(open ? [address(listen)] : [])}`];
  if (secure) lines.push("  tls: true");
  if (users.length > 0) lines.push("  users:");
  for (const { name, password, access } of users)
    lines.push(`    - ${flow({ name, password, access })}`);
  return `admin:\n${lines.join("\n")}\n`;
}

function poolYaml({ scheduler, hosts }: Group, checktime: number): string[] {
  return [
    `scheduler: ${scheduler}`,
    "hosts:",
    ...hosts.map((host) => `  - ${flow(hostValue(host))}`),
    `checktime: ${checktime}s`,
  ];
}

function hostValue({ name, ip }: Host): unknown {
  return name === ip ? ip : { name, address: ip };
}

function serviceYaml(service: Service, names: (group: Group) => string): string[] {
  const { listen, groups, enable } = service;
  return [
    `listen: ${list(listen.map(address))}`,
    "groups:",
    ...groups.map((group) => `  ${word(group.name)}: ${flow({ pool: names(group) })}`),
    `enable: ${word(enable)}`,
    ...Object.entries(SERVICE_KEYS).map(([key, value]) => `${key}: ${flow(value)}`),
  ];
}

function section(name: string, parts: readonly (readonly [string, readonly string[]])[]): string {
  const bodies = parts.map(
    ([key, lines]) => `  ${word(key)}:\n${lines.map((line) => `    ${line}\n`).join("")}`,
  );
  return parts.length === 0 ? "" : `${name}:\n${bodies.join("")}`;
}

/** `*:80` is every address, which is `:80` here. */
function address(place: string): string {
  return place.replace(/^\*/, "");
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}

function list(words: readonly string[]): string {
  return `[${words.map(word).join(", ")}]`;
}

/** A text on one line, as in a flow: elsewhere one with line ends would be written as a block. */
function word(text: string): string {
  return flow([text]).slice(1, -1).trim();
}

/** Nothing may end the comment that it stands in. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what is meant
  return text.replaceAll(/[\x00-\x1f\x7f\u0085\u2028\u2029\ufeff\ud800-\udfff]+/gu, " ");
}
