import { closest } from "../../../core/suggest.ts";
import { type Group, type Host, OWN_SCHEDULERS, SCHEDULERS, type Service } from "./director.ts";
import type { Element } from "./elements.ts";
import { newNames } from "./new-names.ts";
import { attribute, lastOfEach, leaf, nameOf, onlyAttributes, renamed } from "./nodes.ts";
import { hostPlace, listenPlace } from "./places.ts";
import type { Report } from "./report.ts";

/** A <service>, checked as pythondirector checks it; problems and notes go to the report. */
export function readService(element: Element, report: Report): Service {
  onlyAttributes(element, ["name"], report);
  const name = nameOf(element, "service", report);
  const path = name === "" ? "service" : `service ${name}`;
  const groups = new Map<string, { group: Group; at: number }>();
  const listen: string[] = [];
  let enable = { value: "", at: element.at };
  for (const child of element.children) {
    switch (child.name) {
      case "listen":
        listen.push(...readListen(child, path, report));
        break;
      case "group": {
        const group = readGroup(child, path, report);
        lastOfEach(groups, group.name, { group, at: child.at }, "group", report);
        break;
      }
      case "enable":
        leaf(child, ["group"], report);
        if (enable.value !== "")
          report.note(child.at, "a second <enable>: pythondirector went by the last");
        enable = attribute(child, "group");
        break;
      default:
        report.problem(
          child.at,
          path,
          `expected <listen>, <group> or <enable>, got <${child.name}>`,
        );
    }
  }
  const wrong = (message: string, at = element.at): void => report.problem(at, path, message);
  const has = (child: string): boolean => element.children.some((c) => c.name === child);
  if (name === "") wrong("it has no name");
  if (!has("listen")) wrong("it has no <listen>");
  if (!has("group")) wrong("it has no <group>");
  if (enable.value === "") wrong("no group is enabled", enable.at);
  else if (!groups.has(enable.value)) {
    const meant = closest(enable.value, groups.keys());
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    wrong(`the enabled group ${JSON.stringify(enable.value)} is not defined${hint}`, enable.at);
  }
  const names = newNames([...groups.values()].map(({ group }) => group.name));
  return {
    name,
    listen,
    groups: [...groups.values()].map(({ group, at }) => renamed(group, names, at, "group", report)),
    enable: names.get(enable.value) ?? "",
  };
}

function readListen(element: Element, path: string, report: Report): string[] {
  leaf(element, ["ip"], report);
  const { value, at } = attribute(element, "ip");
  const read = listenPlace(value);
  if (read?.local) report.note(at, "localhost is 127.0.0.1 here");
  if (read) return [read.place];
  const expected = 'an IPv4 address, or "*" for all, and a port: "127.0.0.1:80"';
  report.problem(at, `${path}.listen`, `expected ${expected}, got ${JSON.stringify(value)}`);
  return [];
}

function readGroup(element: Element, of: string, report: Report): Group {
  onlyAttributes(element, ["name", "scheduler"], report);
  const name = nameOf(element, `${of}.group`, report);
  const path = `${of}.group${name === "" ? "" : ` ${name}`}`;
  const hosts = new Map<string, { host: Host; at: number }>();
  const children = element.children.filter((child) => {
    if (child.name !== "host")
      report.problem(child.at, path, `expected <host>, got <${child.name}>`);
    return child.name === "host";
  });
  for (const [position, child] of children.entries()) {
    const host = readHost(child, position, path, report);
    if (host) lastOfEach(hosts, host.name, { host, at: child.at }, "host", report);
  }
  if (name === "") report.problem(element.at, path, "it has no name");
  if (children.length === 0) report.problem(element.at, path, "it has no hosts");
  return {
    name,
    scheduler: readScheduler(element, path, report),
    hosts: onceEach([...hosts.values()], report),
  };
}

function readScheduler(element: Element, path: string, report: Report): string {
  const { value, at } = attribute(element, "scheduler");
  if (value === "") report.problem(at, path, "it has no scheduler");
  else if (!SCHEDULERS.includes(value)) {
    const meant = closest(value, SCHEDULERS);
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    report.problem(at, path, `unknown scheduler ${JSON.stringify(value)}${hint}`);
  } else if (!OWN_SCHEDULERS.includes(value))
    report.note(at, `pythondirector has no scheduler ${value}; tern has`);
  return value;
}

function readHost(
  element: Element,
  position: number,
  path: string,
  report: Report,
): Host | undefined {
  leaf(element, ["name", "ip"], report);
  const { value, at } = attribute(element, "ip");
  const ip = hostPlace(value);
  const name = nameOf(element, `${path}.host`, report) || `host.${position}`;
  if (ip !== undefined) return { name, ip };
  const expected = 'an IPv4 address or a name, and a port: "10.0.0.1:80"';
  report.problem(at, `${path}.host`, `expected ${expected}, got ${JSON.stringify(value)}`);
  return undefined;
}

/** pythondirector knew a host by its address: of two names for one, the last. */
function onceEach(
  hosts: readonly { readonly host: Host; readonly at: number }[],
  report: Report,
): Host[] {
  const last = new Map(hosts.map(({ host }) => [host.ip, host]));
  return hosts.flatMap(({ host, at }) => {
    const { name, ip } = host;
    if (last.get(ip) !== host) {
      report.note(at, `host ${name}: ${ip} is given again further down: left out`);
      return [];
    }
    if (name === ip || !last.has(name)) return [host];
    report.note(at, `host ${name} has the address of another as its name: it is named ${ip} here`);
    return [{ name: ip, ip }];
  });
}
