import type { Admin, Director, Group, Host, Service, User } from "./director.ts";

/** A call of the web API with its parameters. */
export type Command = readonly [name: string, parameters: Readonly<Record<string, string>>];

/**
 * In this order they can be made one after the other: nothing is asked of what is not there yet,
 * and a group is no longer enabled when its hosts go. What pythondirector's own compareconf knew
 * (addHost, changeScheduler, delHost) comes in the order it had there.
 */
const ORDER: readonly string[] = [
  "newService",
  "changeListen",
  "newGroup",
  "addHost",
  "changeScheduler",
  "enableGroup",
  "move",
  "delHost",
  "delGroup",
  "delService",
  "delUser",
  "addUser",
];

export interface Compared {
  readonly commands: readonly Command[];
  /** Differences that no call makes. */
  readonly notes: readonly string[];
}

/** The calls that turn a director that runs `old` into one that runs `next`. */
export function compareDirectors(old: Director, next: Director): Compared {
  const steps: Step[] = [
    ...pairs(old.services, next.services).flatMap(([a, b]) => serviceSteps(a, b)),
    ...pairs(old.admin?.users ?? [], next.admin?.users ?? []).flatMap(([a, b]) => userSteps(a, b)),
  ];
  return {
    commands: steps.toSorted(inOrder).flatMap(({ commands }) => commands),
    notes: notesOn(old, next),
  };
}

/** Commands that stay together, and where in the order. */
interface Step {
  readonly place: string;
  readonly commands: readonly Command[];
}

function step(name: string, parameters: Readonly<Record<string, string>>): Step {
  return { place: name, commands: [[name, parameters]] };
}

function serviceSteps(old: Service | undefined, next: Service | undefined): Step[] {
  if (next === undefined) return old ? [step("delService", { service: old.name })] : [];
  const service = next.name;
  const listen = next.listen.join(",");
  const steps: Step[] = [];
  if (old === undefined) {
    const scheduler = next.groups.find(({ name }) => name === next.enable)?.scheduler ?? "";
    steps.push(step("newService", { service, listen, group: next.enable, scheduler }));
  } else {
    if (!sameSet(old.listen, next.listen)) steps.push(step("changeListen", { service, listen }));
    if (old.enable !== next.enable)
      steps.push(step("enableGroup", { service, group: next.enable }));
  }
  for (const [a, b] of pairs(old?.groups ?? [], next.groups)) {
    const made = old === undefined && b?.name === next.enable;
    steps.push(...groupSteps(service, a, b, made));
  }
  return steps;
}

/** `made`: a new service brings it. */
function groupSteps(
  service: string,
  old: Group | undefined,
  next: Group | undefined,
  made: boolean,
): Step[] {
  if (next === undefined) return old ? [step("delGroup", { service, group: old.name })] : [];
  const { name: group, scheduler } = next;
  const steps: Step[] = [];
  if (old === undefined && !made) steps.push(step("newGroup", { service, group, scheduler }));
  if (old !== undefined && old.scheduler !== scheduler)
    steps.push(step("changeScheduler", { service, group, scheduler }));
  const of = { service, group };
  return [
    ...steps,
    ...pairs(old?.hosts ?? [], next.hosts).flatMap(([a, b]) => hostSteps(of, a, b)),
  ];
}

function hostSteps(
  of: { readonly service: string; readonly group: string },
  old: Host | undefined,
  next: Host | undefined,
): Step[] {
  if (old?.ip === next?.ip) return [];
  const gone: Command[] = old ? [["delHost", { ...of, ip: old.ip }]] : [];
  const added: Command[] = next ? [["addHost", { ...of, name: next.name, ip: next.ip }]] : [];
  const place = old && next ? "move" : old ? "delHost" : "addHost";
  return [{ place, commands: [...gone, ...added] }];
}

function userSteps(old: User | undefined, next: User | undefined): Step[] {
  if (old && next && old.password === next.password && old.access === next.access) return [];
  const steps: Step[] = old ? [step("delUser", { name: old.name })] : [];
  return next ? [...steps, step("addUser", { ...next })] : steps;
}

function notesOn(old: Director, next: Director): string[] {
  const notes = pairs(old.services, next.services).flatMap(([a, b]) => (a && b ? stuck(a, b) : []));
  const differ = (what: string, a: unknown, b: unknown): void => {
    if (a !== b) notes.push(`${what} changes from ${word(a)} to ${word(b)}: no call does that`);
  };
  const address = (admin: Admin | undefined) =>
    admin && `${admin.listen}${admin.secure ? " with TLS" : ""}`;
  differ("admin", address(old.admin), address(next.admin));
  differ("logging", old.logging, next.logging);
  differ("checktime", old.checktime, next.checktime);
  return notes;
}

/** delHost refuses the last host of the enabled group, and a name can be there once only. */
function stuck(old: Service, next: Service): string[] {
  const [before, after] = [old, next].map(
    ({ groups }) => groups.find(({ name }) => name === next.enable)?.hosts ?? [],
  );
  const [only, ...others] = before ?? [];
  const there = after?.find(({ name }) => name === only?.name);
  if (!only || others.length > 0 || there === undefined || there.ip === only.ip) return [];
  if (after?.some(({ name }) => name !== only.name)) return []; // those are added before
  const where = `service ${next.name}, group ${next.enable}`;
  return [`${where}: its only host moves, which delHost refuses: add it by another name before`];
}

function word(value: unknown): string {
  return value === undefined ? "none" : String(value as string | number);
}

/** What has the same name on both sides, and what is on one side only. */
function pairs<T extends { readonly name: string }>(
  old: readonly T[],
  next: readonly T[],
): [T | undefined, T | undefined][] {
  const before = new Map(old.map((one) => [one.name, one]));
  const after = new Map(next.map((one) => [one.name, one]));
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].map((name) => [before.get(name), after.get(name)]);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}

/** By the order above, then by the parameters in the order of their names, as Python compares them. */
function inOrder(a: Step, b: Step): number {
  const places = ORDER.indexOf(a.place) - ORDER.indexOf(b.place);
  return places === 0 ? compareText(key(a), key(b)) : places;
}

function key({ commands }: Step): string {
  const values = Object.entries(commands[0]?.[1] ?? {}).toSorted(([a], [b]) => compareText(a, b));
  return values.map(([, value]) => value).join("\0");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
