import { expandRange } from "../../../core/ranges.ts";
import { type Group, type Host, OWN_SCHEDULERS } from "../../import/pydir/director.ts";
import { hostPlace } from "../../import/pydir/places.ts";
import { isPlainList, isPlainMap, type Plain, type PlainMap } from "../../plain.ts";
import { type Remarks, textOf } from "./written.ts";

/** As services/pools has it when the config does not say. */
const DEFAULT_SCHEDULER = "roundrobin";

/** A group of a service with the hosts of its pool, whatever their state. */
export function groupOf(
  name: string,
  value: Plain,
  pools: PlainMap,
  used: Set<string>,
  remarks: Remarks,
  path: string,
): Group {
  const about = remarks.about(path);
  const { pool, ...more } = isPlainMap(value) ? value : {};
  about.leave(more);
  const poolName = textOf(pool);
  used.add(poolName);
  const of = Object.hasOwn(pools, poolName) ? pools[poolName] : undefined;
  const { scheduler, hosts, checktime: _, ...rest } = isPlainMap(of) ? of : {};
  about.leave(rest);
  const named = typeof scheduler === "string" ? scheduler : DEFAULT_SCHEDULER;
  if (!OWN_SCHEDULERS.includes(named)) about.say(`pythondirector has no scheduler ${named}`);
  const all = (isPlainList(hosts) ? hosts : []).flatMap((host) => hostsOf(host, path, remarks));
  if (all.length === 0) about.say("it has no hosts, without which pythondirector does not start");
  return about.of({ name, scheduler: named, hosts: all });
}

function hostsOf(value: Plain, path: string, remarks: Remarks): Host[] {
  const { address, name, ...rest } = isPlainMap(value) ? value : { address: value };
  const text = textOf(address);
  const members = expandRange(text) ?? [];
  if (members.length > 1) {
    return members.flatMap(({ host, port }) => {
      const place = hostPlace(`${host}:${port}`);
      return place === undefined ? [] : [hostOf(place, place, rest, path, remarks)];
    });
  }
  const place = hostPlace(text);
  if (place === undefined) {
    const called = typeof name === "string" ? `${name}, ${text}` : text;
    remarks.whole(`${path}: host ${called} has an address that cannot be said here: left out`);
    return [];
  }
  return [hostOf(typeof name === "string" ? name : text, place, rest, path, remarks)];
}

function hostOf(name: string, ip: string, rest: PlainMap, path: string, remarks: Remarks): Host {
  const about = remarks.about(`${path}, host ${name}`);
  about.leave(rest);
  return about.of({ name, ip });
}
