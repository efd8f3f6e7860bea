import { hostPort } from "../../config/import/pydir/places.ts";
import { CannotDo, type Done, MissingArgument, type PydirCall, type Writing } from "./call.ts";
import { change } from "./changing.ts";
import { groupOf, type RunningGroup, type RunningHost, type RunningService } from "./running.ts";

/** Calls about the hosts of a group. */
export const HOST_CALLS: Readonly<Record<string, Writing>> = {
  async addHost(call) {
    const { service, group } = await groupOf(call);
    const [name, ip] = [call.arg("name"), call.arg("ip")];
    if (hostPort(ip) === undefined) throw new CannotDo(`${ip} is no host:port`);
    const named = name !== "" && name !== ip && { name };
    await change(call, "pools", "add-host", { pool: group.pool, address: ip, ...named });
    return { message: `Host ${name}(${ip}) added to ${group.name} / ${service.name}` };
  },

  async delHost(call) {
    const { group, all } = await groupOf(call);
    const word = hostWord(call, ["ip", "name"]);
    const active = isEnabled(group.pool, all);
    const host = find(group, word);
    if (host && active && isLast(host, group))
      return { message: `host ${word} <b>not</b> deleted from active group` };
    await change(call, "pools", "remove-host", {
      pool: group.pool,
      host: host?.name ?? word,
      force: true, // whether it may go was decided above, by who is alive
    });
    return {
      message: `host ${word} deleted ${active ? "(from active group!)" : "from inactive group"}`,
    };
  },

  async delAllHosts(call) {
    const { group, all } = await groupOf(call);
    if (isEnabled(group.pool, all))
      throw new CannotDo(`the hosts of the enabled group ${group.name} are not all deleted`);
    await change(call, "pools", "remove-all-hosts", { pool: group.pool });
    return { message: `all hosts deleted from inactive group ${group.name}` };
  },

  async retryHost(call) {
    const { group } = await groupOf(call);
    const word = hostWord(call, ["host", "name", "ip", "client"]);
    const host = must(group, word);
    const ran = await call.deps.run("pools", "retry", { pool: group.pool, host: host.name });
    if (ran.kind === "refused") throw new CannotDo(ran.problems.join("; "));
    return { message: `host ${word} is tried again` };
  },

  hostAdminUp: (call) => setState(call, "ready", "up"),
  hostAdminDown: (call) => setState(call, "down", "down"),
};

async function setState(call: PydirCall, to: "ready" | "down", said: string): Promise<Done> {
  const { group } = await groupOf(call);
  const word = hostWord(call, ["name", "ip", "host"]);
  const host = find(group, word);
  await change(call, "pools", "state", { pool: group.pool, host: host?.name ?? word, to });
  return { message: `host ${word} is administratively ${said}` };
}

/** What names the host: by the first of these parameters that is there. */
function hostWord(call: PydirCall, names: readonly [string, ...string[]]): string {
  for (const name of names) {
    const value = call.maybe(name);
    if (value !== undefined) return value;
  }
  throw new MissingArgument([names[0]]);
}

function find({ hosts }: RunningGroup, word: string): RunningHost | undefined {
  return (
    hosts.find(({ name }) => name === word) ??
    hosts.find(({ address }) => address === word) ??
    // A name that stands for several is `name/address` for each of them.
    hosts.find(({ name }) => name.startsWith(`${word}/`))
  );
}

function must(group: RunningGroup, word: string): RunningHost {
  const host = find(group, word);
  if (host) return host;
  throw new CannotDo(`group ${group.name} has no host ${word}`);
}

/** Without it nobody would take clients, or there would be nobody at all. */
function isLast(host: RunningHost, { hosts }: RunningGroup): boolean {
  const live = hosts.filter(({ disabled }) => disabled === undefined);
  return hosts.length === 1 || (live.length === 1 && live[0] === host);
}

/** Do clients of any service go to this pool? */
function isEnabled(pool: string, all: readonly RunningService[]): boolean {
  return all.some(({ groups, enabled }) =>
    groups.some((group) => group.pool === pool && group.name === enabled),
  );
}
