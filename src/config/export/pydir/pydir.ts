import type { Written } from "../../edit.ts";
import {
  type Admin,
  CHECKTIME_S,
  type Director,
  type Service,
  SERVICE_KEYS,
  type User,
} from "../../import/pydir/director.ts";
import { listenPlace } from "../../import/pydir/places.ts";
import { isPlainMap, type Plain, type PlainMap, samePlain } from "../../plain.ts";
import { emitDirector } from "./emit.ts";
import { groupOf } from "./group.ts";
import { listed, mapAt, Remarks, seconds } from "./written.ts";

/** Sections of the root that need no word: they are about the program, not about what it serves. */
const SILENT: readonly string[] = ["workers", "user", "state", "socket", "tls", "cluster"];
const CARRIED: readonly string[] = ["pools", "balance", "admin", "log"];

export interface Exported {
  readonly director: Director;
  readonly xml: string;
  /** What the schema had no place for; the comments of the XML say the same. */
  readonly notes: readonly string[];
}

/**
 * A config as pythondirector's XML: every service of `balance` with the pools of its groups. `users`
 * are those of the config, with their hashes instead of references to them.
 */
export function exportPydir(config: Written, users: readonly User[]): Exported {
  const remarks = new Remarks();
  const pools = mapAt(config, "pools");
  const balance = mapAt(config, "balance");
  const used = new Set<string>();
  const services = Object.entries(balance).flatMap(
    ([name, value]) => serviceOf(name, value, pools, used, remarks) ?? [],
  );
  const director: Director = {
    services,
    admin: adminOf(mapAt(config, "admin"), users, remarks),
    logging: loggingOf(mapAt(config, "log")),
    checktime: checktimeOf(pools, used, remarks),
  };
  for (const name of Object.keys(pools))
    if (!used.has(name)) remarks.whole(`pool ${name} belongs to no service here: left out`);
  const whole = config.at([]);
  for (const section of isPlainMap(whole) ? Object.keys(whole) : [])
    if (!CARRIED.includes(section) && !SILENT.includes(section))
      remarks.whole(`section ${section} has no place here: left out`);
  return { director, xml: emitDirector(director, remarks.for(director)), notes: remarks.notes };
}

function serviceOf(
  name: string,
  value: Plain,
  pools: PlainMap,
  used: Set<string>,
  remarks: Remarks,
): Service | undefined {
  const { listen, groups, enable, protocol, ...rest } = isPlainMap(value) ? value : {};
  if (protocol === "udp") {
    remarks.whole(`service ${name} is for UDP: left out`);
    return undefined;
  }
  const about = remarks.about(`service ${name}`);
  const places = listed(listen).flatMap((text) => {
    const place = listenPlace(text)?.place;
    if (place === undefined) about.say(`it listens on ${text} too, which pythondirector cannot`);
    return place ?? [];
  });
  about.leave(unlike(rest, SERVICE_KEYS));
  const members = Object.entries(isPlainMap(groups) ? groups : {}).map(([group, of]) =>
    groupOf(group, of, pools, used, remarks, `service ${name}, group ${group}`),
  );
  // Without them pythondirector does not start.
  if (places.length === 0 || members.length === 0) {
    remarks.whole(`service ${name} has no listener or group that can be said here: left out`);
    return undefined;
  }
  const enabled = typeof enable === "string" ? enable : (members[0]?.name ?? "");
  return about.of({ name, listen: places, groups: members, enable: enabled });
}

/** Those keys that do not say what goes without saying. */
function unlike(keys: PlainMap, usual: PlainMap): PlainMap {
  const others = Object.entries(keys).filter(([key, value]) => !samePlain(value, usual[key]));
  return Object.fromEntries(others);
}

function adminOf(admin: PlainMap, users: readonly User[], remarks: Remarks): Admin | undefined {
  const about = remarks.about("admin");
  const places = listed(admin["listen"]).map((text) => ({ text, read: listenPlace(text)?.place }));
  const first = places.find(({ read }) => read !== undefined);
  if (first?.read === undefined) {
    if (users.length > 0) remarks.whole("admin listens nowhere that can be said here: left out");
    return undefined;
  }
  for (const { text } of places.filter((place) => place !== first))
    about.say(`it listens on ${text} too`);
  return about.of({ listen: first.read, secure: admin["tls"] === true, users });
}

function loggingOf(log: PlainMap): string | undefined {
  const { file } = log;
  return typeof file === "string" && file !== "-" ? file : undefined;
}

/** One for all: the shortest of the pools'. */
function checktimeOf(pools: PlainMap, used: ReadonlySet<string>, remarks: Remarks): number {
  const times = [...used].flatMap((name) => {
    const pool = pools[name];
    return isPlainMap(pool) ? Math.max(1, seconds(pool["checktime"]) ?? CHECKTIME_S) : [];
  });
  const least = times.length === 0 ? CHECKTIME_S : Math.min(...times);
  if (times.some((time) => time !== least))
    remarks.whole("the pools have several checktimes: the shortest is written");
  return least;
}
