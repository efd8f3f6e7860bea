import type { Written } from "../../config/edit.ts";
import { listed, mapAt } from "../../config/export/pydir/written.ts";
import { isPlainMap } from "../../config/plain.ts";
import { CannotDo, type PydirCall, type PydirDeps } from "./call.ts";

/** A service of `balance` as pythondirector's pages show it. */
export interface RunningService {
  readonly name: string;
  /** As pythondirector writes them: `*` is every address. */
  readonly listen: readonly string[];
  /** Name of the enabled group. */
  readonly enabled: string;
  readonly groups: readonly RunningGroup[];
}

export interface RunningGroup {
  readonly name: string;
  readonly pool: string;
  readonly scheduler: string;
  /** In the order of their addresses. */
  readonly hosts: readonly RunningHost[];
}

export interface RunningHost {
  readonly name: string;
  readonly address: string;
  readonly open: number;
  readonly total: number;
  /** Undefined: it takes clients. Otherwise why not, as one word. */
  readonly disabled: string | undefined;
  /** ISO time of its last change. */
  readonly since: string;
}

/** All services under the config in force, with what is known of their hosts now. */
export async function running(deps: PydirDeps): Promise<RunningService[]> {
  const config = deps.config.written();
  const stats =
    (await deps
      .services()
      .find(({ name }) => name === "pools")
      ?.stats()) ?? {};
  return Object.entries(mapAt(config, "balance")).map(([name, value]) => {
    const { listen, groups, enable } = isPlainMap(value) ? value : {};
    const names = isPlainMap(groups) ? Object.entries(groups) : [];
    return {
      name,
      listen: listed(listen).map((address) => address.replace(/^:/, "*:")),
      enabled: typeof enable === "string" ? enable : (names[0]?.[0] ?? ""),
      groups: names.map(([group, of]) => {
        const pool = isPlainMap(of) && typeof of["pool"] === "string" ? of["pool"] : "";
        return { name: group, pool, ...poolOf(own(stats, pool)) };
      }),
    };
  });
}

/** The group that a call names, and its service. Throws CannotDo. */
export async function groupOf(
  call: PydirCall,
): Promise<{ service: RunningService; group: RunningGroup; all: readonly RunningService[] }> {
  const [wanted, name] = [call.arg("service"), call.arg("group")];
  const all = await running(call.deps);
  const service = all.find((one) => one.name === wanted);
  if (service === undefined) throw new CannotDo(`there is no service ${wanted}`);
  const group = service.groups.find((one) => one.name === name);
  if (group === undefined) throw new CannotDo(`service ${wanted} has no group ${name}`);
  return { service, group, all };
}

/** The pool of a group under a config that is being changed; undefined when there is none. */
export function poolIn(config: Written, service: string, group: string): string | undefined {
  const pool = config.at(["balance", service, "groups", group, "pool"]);
  return typeof pool === "string" ? pool : undefined;
}

/** What the stats of `services/pools` say of one pool, as far as it is of use here. */
function poolOf(stats: unknown): Pick<RunningGroup, "scheduler" | "hosts"> {
  const { scheduler = "", hosts = {} } = (stats ?? {}) as PoolWords;
  const shown = Object.entries(hosts).map(([name, host]) => ({
    name,
    address: host.address,
    open: host.open,
    total: host.total,
    disabled: whyDisabled(host),
    since: host.since,
  }));
  return { scheduler, hosts: shown.toSorted((a, b) => compare(a.address, b.address)) };
}

interface PoolWords {
  readonly scheduler?: string;
  readonly hosts?: Readonly<Record<string, HostWords>>;
}

interface HostWords {
  readonly address: string;
  readonly state: string;
  readonly set: string;
  readonly why: string;
  readonly since: string;
  readonly open: number;
  readonly total: number;
  /** In how many workers. */
  readonly ejected: number;
}

/** How a connection failed, in one word; anything else is what a probe said. */
const FAILURES: readonly string[] = ["refused", "timeout", "unreachable", "reset", "tls", "error"];

function whyDisabled({ state, set, why, ejected }: HostWords): string | undefined {
  if (set !== "ready") return `admin_${set}`;
  if (state !== "down" && state !== "ejected" && ejected === 0) return undefined;
  return FAILURES.includes(why) ? `conn_${why}` : word(why) || "failed";
}

/** pythondirector wrote the whole failure there, and with it several lines where one belongs. */
function word(text: string): string {
  return (
    text
      .toLowerCase()
      .match(/[\w.-]+/g)
      ?.join("_")
      .slice(0, 60) ?? ""
  );
}

function own(stats: object, key: string): unknown {
  return Object.hasOwn(stats, key) ? (stats as Record<string, unknown>)[key] : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
