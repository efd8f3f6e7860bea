import { join } from "node:path";

import * as v from "valibot";

import type { SocketOptions } from "../core/socket-options.ts";
import { admin, type AdminConfig } from "./admin.ts";
import { cluster, type ClusterConfig } from "./cluster.ts";
import { path } from "./places.ts";
import { count, size } from "./quantities.ts";
import { scalar } from "./scalar.ts";
import { socketOptions } from "./socket.ts";
import { resolvePath } from "./surroundings.ts";
import { tls, type TlsConfig, tlsConfig } from "./tls.ts";

/** Most workers that make sense on one machine; more is a slip of the finger. */
const MAX_WORKERS = 1024;

/** What the program as a whole is told, every default filled in. Paths are absolute. */
export interface RootConfig {
  readonly workers: number | "auto";
  /** Dropped to after binding, when started as root and the user exists. */
  readonly user: string;
  readonly state: string;
  readonly log: LogConfig;
  /** Undefined: no access log. */
  readonly accessLog: AccessLogConfig | undefined;
  readonly admin: AdminConfig;
  readonly tls: TlsConfig;
  /** Undefined: this appliance is alone. */
  readonly cluster: ClusterConfig | undefined;
  /** Defaults of every listener; sections have them filled in already. */
  readonly socket: SocketOptions;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "auto" | "text" | "json";
  /** "-" is standard error. */
  readonly file: string;
}

export interface AccessLogConfig {
  /** "-" is standard output. */
  readonly file: string;
  readonly format: "combined" | "json";
  /** Bytes; 0 is never. */
  readonly rotate: number;
  readonly keep: number;
}

const workers = scalar(
  '"auto" or a number of workers',
  (text) => {
    if (text === "auto") return text;
    const n = Number(text);
    return Number.isInteger(n) && n >= 1 && n <= MAX_WORKERS ? n : undefined;
  },
  {
    description: "Event-loop processes; auto is one per core.",
    anyOf: [{ const: "auto" }, { type: "integer", minimum: 1, maximum: MAX_WORKERS }],
  },
);

const logFile = scalar('a path, or "-" for the terminal', (text) =>
  text === "-" ? text : text === "" ? undefined : resolvePath(text),
);

const log = v.strictObject({
  level: v.optional(
    v.pipe(v.picklist(["debug", "info", "warn", "error"]), v.description("Least level written.")),
    "info",
  ),
  format: v.optional(
    v.pipe(
      v.picklist(["auto", "text", "json"]),
      v.description("auto is text on a terminal and JSON lines otherwise."),
    ),
    "auto",
  ),
  file: v.optional(v.pipe(logFile, v.description('"-" is standard error.')), "-"),
});

const accessLog = v.strictObject({
  file: v.optional(
    v.pipe(logFile, v.description('access.log in `state` when not given; "-" is standard output.')),
  ),
  format: v.optional(
    v.pipe(v.picklist(["combined", "json"]), v.description("How a line is written.")),
    "combined",
  ),
  rotate: v.optional(
    v.pipe(size, v.description("A new file is begun at this size; 0 is never.")),
    "100MiB",
  ),
  keep: v.optional(v.pipe(count(), v.description("Old files kept.")), 7),
});

/** Everything in the file that belongs to no service. */
export const root = v.strictObject({
  workers: v.optional(workers, "auto"),
  user: v.optional(
    v.pipe(
      v.string(),
      v.nonEmpty(),
      v.description("Dropped to after binding, when started as root and the user exists."),
    ),
    "tern",
  ),
  state: v.optional(
    v.pipe(path, v.description("Caches, keys, certificates, journals; made when missing.")),
    "./var",
  ),
  log: v.optional(v.pipe(log, v.description("What the program says of itself.")), {}),
  access_log: v.optional(
    v.pipe(accessLog, v.description("One line for each request; off when absent.")),
  ),
  admin: v.optional(v.pipe(admin, v.description("Who may manage this appliance, and where."))),
  tls: v.optional(v.pipe(tls, v.description("Certificates of all TLS listeners.")), {}),
  cluster: v.optional(
    v.pipe(cluster, v.description("What several appliances share; this one is alone when absent.")),
  ),
  socket: v.optional(
    v.pipe(socketOptions, v.description("Defaults for every listener; one may override them.")),
    {},
  ),
});

/** From the file's words to the program's. Runs in the surroundings of the file. */
export function rootConfig(read: v.InferOutput<typeof root>): RootConfig {
  const { access_log: access, admin, state } = read;
  return {
    workers: read.workers,
    user: read.user,
    state,
    log: read.log,
    accessLog: access && { ...access, file: access.file ?? join(state, "access.log") },
    admin: {
      listen: admin?.listen ?? [],
      tls: admin?.tls ?? false,
      socket: admin?.socket ?? join(state, "tern.sock"),
      hosts: admin?.hosts ?? [],
      users: admin?.users ?? [],
    },
    tls: tlsConfig(read.tls),
    cluster: read.cluster,
    socket: read.socket,
  };
}
