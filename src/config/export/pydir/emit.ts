import { escapeXml, speakable } from "../../../core/escape-xml.ts";
import type { Admin, Director, Group, Service } from "../../import/pydir/director.ts";

/** What the schema has no place for, beside the service, group or host (or the whole) it is about. */
export type Remarks = ReadonlyMap<object, readonly string[]>;

const INDENT = "    ";

/**
 * XML as pythondirector writes its running.xml: hosts in the order of their addresses' text, users
 * with their hashes. Remarks become comments.
 */
export function emitDirector(director: Director, remarks: Remarks = new Map()): string {
  const { services, admin, logging, checktime } = director;
  const said = (about: object): string[] => (remarks.get(about) ?? []).map(comment);
  const lines = [
    ...said(director),
    ...services.flatMap((service) => serviceLines(service, said)),
    ...(admin ? adminLines(admin, said) : []),
    ...(logging === undefined ? [] : [tag("logging", { file: logging })]),
    tag("checktime", { time: String(checktime) }),
  ];
  return ['<?xml version="1.0" ?>', ...element("pdconfig", {}, lines), ""].join("\n");
}

type Said = (about: object) => string[];

function serviceLines(service: Service, said: Said): string[] {
  const { name, listen, groups, enable } = service;
  return element("service", { name }, [
    ...said(service),
    ...listen.map((ip) => tag("listen", { ip })),
    ...groups.flatMap((group) => groupLines(group, said)),
    tag("enable", { group: enable }),
  ]);
}

function groupLines(group: Group, said: Said): string[] {
  const { name, scheduler, hosts } = group;
  const sorted = hosts.toSorted((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0));
  return element("group", { name, scheduler }, [
    ...said(group),
    ...sorted.flatMap((host) => [...said(host), tag("host", { name: host.name, ip: host.ip })]),
  ]);
}

function adminLines(admin: Admin, said: Said): string[] {
  const { listen, secure, users } = admin;
  return element("admin", { listen, ...(secure && { secure: "yes" }) }, [
    ...said(admin),
    ...users.map(({ name, password, access }) => tag("user", { name, password, access })),
  ]);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  inside: readonly string[],
): string[] {
  const open = tag(name, attributes).replace(/\/>$/, ">");
  return [open, ...inside.map((line) => INDENT + line), `</${name}>`];
}

function tag(name: string, attributes: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  return `<${name}${pairs.join("")}/>`;
}

function comment(text: string): string {
  // XML 1.0, 2.5: no two hyphens in a comment.
  return `<!-- ${speakable(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/--+|-$/g, "-\u00a0")} -->`;
}
