import { isatty } from "node:tty";

import type { Logs } from "../app/logs.ts";
import type { Status } from "../app/status.ts";
import { complain, painter } from "./terminal.ts";

const STDERR = 2;

/** Say where everything listens: pleasantly on a terminal, as log lines otherwise. */
export function announce(status: Status, logs: Logs): void {
  const { log } = logs;
  if (logs.toTerminal && isatty(STDERR)) return complain(banner(status));
  for (const { address, port, sites, workers } of status.listeners)
    log.info("listening", { address, port, sites, workers: workers.length });
  log.info("serving", {
    version: status.version,
    pid: status.pid,
    config: status.config,
    admin: status.admin,
    workers: status.workers.length,
  });
}

function banner(status: Status): string {
  const paint = painter(STDERR);
  const { workers } = status;
  const loops = workers.length === 1 ? "1 process" : `${workers.length} workers`;
  const lines = [
    `${paint("bold", `tern ${status.version}`)} serves, ${loops}`,
    ...status.listeners.map(
      ({ address, port, sites }) =>
        `  ${paint("green", place(address, port).padEnd(28))} ${sites.join(", ")}`,
    ),
    ...status.admin.map((address) => `  ${place(address, 0).padEnd(28)} admin`),
    `  ${paint("dim", status.config)}`,
  ];
  return lines.join("\n");
}

/** With the port that the kernel chose when the config said 0. */
function place(address: string, port: number): string {
  return port === 0 ? address : address.replace(/:0$/, `:${port}`);
}
