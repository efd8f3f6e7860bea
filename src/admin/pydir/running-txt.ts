import type { RunningGroup, RunningService } from "./running.ts";

/**
 * A line for each listener, group and host, for programs: hosts that take clients with their open
 * connections, then those that do not with the reason as one word.
 */
export function runningText(services: readonly RunningService[]): string {
  return services
    .flatMap(serviceLines)
    .map((words) => `${words.map(word).join(" ")}\n`)
    .join("");
}

function serviceLines({ name, listen, enabled, groups }: RunningService): string[][] {
  return [
    ...listen.map((address) => ["service", name, address, enabled]),
    ...groups.flatMap((group) => groupLines(group, group.name === enabled)),
  ];
}

function groupLines({ name, hosts }: RunningGroup, enabled: boolean): string[][] {
  const live = hosts.filter(({ disabled }) => disabled === undefined);
  return [
    ["group", name, enabled ? "enabled" : "inactive"],
    ...live.map((host) => ["host", host.name, host.address, String(host.open), "-"]),
    ...hosts.flatMap(({ name: host, address, disabled }) =>
      disabled === undefined ? [] : [["disabled", host, address, disabled, "-"]],
    ),
  ];
}

/** Names may have spaces; fields may not. */
function word(text: string): string {
  return text.replaceAll(/[\s%]/g, (c) => encodeURIComponent(c));
}
