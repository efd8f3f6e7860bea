import type { Edit, Written } from "../../config/edit.ts";
import { mapAt } from "../../config/export/pydir/written.ts";
import { SERVICE_KEYS } from "../../config/import/pydir/director.ts";
import { unused } from "../../config/import/pydir/new-names.ts";
import { listenPlace } from "../../config/import/pydir/places.ts";
import { isPlainMap } from "../../config/plain.ts";
import { CannotDo, type Writing } from "./call.ts";
import { change, edit } from "./changing.ts";
import { groupOf, poolIn } from "./running.ts";

/** What a service has when newService does not say: pythondirector had no parameters for it. */
const FIRST_GROUP = "main";
const SCHEDULER = "leastconnsrr";
/** As services/pools takes them. */
const MAX_POOL_NAME = 100;

/** Calls about services and their groups. */
export const GROUP_CALLS: Readonly<Record<string, Writing>> = {
  async enableGroup(call) {
    const { service, group } = await groupOf(call); // an unknown one is an error here
    await change(call, "balance", "enable", { service: service.name, group: group.name });
    return { message: `Group ${group.name} enabled for service ${service.name}` };
  },

  async changeScheduler(call) {
    const { group } = await groupOf(call);
    const scheduler = call.arg("scheduler");
    await change(call, "pools", "scheduler", { pool: group.pool, scheduler });
    return { message: `scheduler of ${group.name} is ${scheduler}` };
  },

  async newGroup(call) {
    const [service, group, scheduler] = [
      call.arg("service"),
      call.arg("group"),
      call.arg("scheduler"),
    ];
    await edit(call, `pydir newGroup service=${service} group=${group}`, (config) => {
      mustBe(config, service);
      if (config.at(["balance", service, "groups", group]) !== undefined)
        throw new CannotDo(`service ${service} has a group ${group} already`);
      const pool = newPool(config, service, group);
      return [
        { kind: "set", path: ["pools", pool], value: { scheduler, hosts: [] } },
        { kind: "set", path: ["balance", service, "groups", group], value: { pool } },
      ];
    });
    return { message: `group ${group} added to ${service}` };
  },

  async delGroup(call) {
    const { service, group } = await groupOf(call);
    if (group.name === service.enabled)
      throw new CannotDo(`group ${group.name} is enabled: enable another before`);
    const path = ["balance", service.name, "groups", group.name];
    await edit(call, `pydir delGroup service=${service.name} group=${group.name}`, (config) => [
      { kind: "remove", path },
      ...withoutPools(config, [group.pool], ([s, g]) => s === service.name && g === group.name),
    ]);
    return { message: `group ${group.name} deleted from ${service.name}` };
  },

  async newService(call) {
    const [service, listen] = [call.arg("service"), listenArg(call.arg("listen"))];
    const group = call.maybe("group") ?? FIRST_GROUP;
    const scheduler = call.maybe("scheduler") ?? SCHEDULER;
    await edit(call, `pydir newService service=${service}`, (config) => {
      if (config.at(["balance", service]) !== undefined)
        throw new CannotDo(`there is a service ${service} already`);
      const pool = newPool(config, service, group);
      const value = { listen, groups: { [group]: { pool } }, enable: group, ...SERVICE_KEYS };
      return [
        { kind: "set", path: ["pools", pool], value: { scheduler, hosts: [] } },
        { kind: "set", path: ["balance", service], value },
      ];
    });
    return { message: `service ${service} added with group ${group}` };
  },

  async delService(call) {
    const service = call.arg("service");
    await edit(call, `pydir delService service=${service}`, (config) => {
      mustBe(config, service);
      const groups = config.at(["balance", service, "groups"]);
      const pools = Object.keys(isPlainMap(groups) ? groups : {}).flatMap(
        (group) => poolIn(config, service, group) ?? [],
      );
      return [
        { kind: "remove", path: ["balance", service] },
        ...withoutPools(config, pools, ([s]) => s === service),
      ];
    });
    return { message: `service ${service} deleted` };
  },

  async changeListen(call) {
    const [service, listen] = [call.arg("service"), listenArg(call.arg("listen"))];
    await edit(call, `pydir changeListen service=${service}`, (config) => {
      mustBe(config, service);
      return [{ kind: "set", path: ["balance", service, "listen"], value: listen }];
    });
    return { message: `service ${service} listens on ${listen.join(", ")}` };
  },
};

/** One `host:port` or several with commas, as `balance:` writes them. */
function listenArg(text: string): string[] {
  return text.split(",").map((one) => {
    const place = listenPlace(one.trim())?.place;
    if (place === undefined) throw new CannotDo(`${one} is no address:port to listen on`);
    return place.replace(/^\*/, "");
  });
}

function mustBe(config: Written, service: string): void {
  if (config.at(["balance", service]) === undefined)
    throw new CannotDo(`there is no service ${service}`);
}

function newPool(config: Written, service: string, group: string): string {
  const taken = new Set(Object.keys(mapAt(config, "pools")));
  return unused(`${service}-${group}`, taken, MAX_POOL_NAME);
}

/** Take those pools away that nobody else in `balance` has; `gone` says who is going. */
function withoutPools(
  config: Written,
  pools: readonly string[],
  gone: (place: readonly [service: string, group: string]) => boolean,
): Edit[] {
  const kept = Object.entries(mapAt(config, "balance")).flatMap(([service, value]) => {
    const groups = isPlainMap(value) && isPlainMap(value["groups"]) ? value["groups"] : {};
    const staying = Object.keys(groups).filter((group) => !gone([service, group]));
    return staying.flatMap((group) => poolIn(config, service, group) ?? []);
  });
  const leaving = [...new Set(pools)].filter((pool) => !kept.includes(pool));
  return leaving.map((pool) => ({ kind: "remove", path: ["pools", pool] }));
}
