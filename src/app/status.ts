import type { ClusterStatus } from "../net/cluster/cluster.ts";

/** What `tern status --json` prints and the admin API answers. Times are milliseconds since 1970. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly state: "serving" | "reloading" | "upgrading" | "draining";
  /** Where the config is from. */
  readonly config: string;
  /** How many configs were put in force since the start. */
  readonly generation: number;
  /** How many changes are in force and not in the file. */
  readonly unsaved: number;
  readonly startedAt: number;
  readonly user: string;
  readonly admin: readonly string[];
  readonly lastReload: LastReload | undefined;
  readonly workers: readonly WorkerStatus[];
  readonly listeners: readonly ListenerStatus[];
  readonly certificates: readonly CertificateStatus[];
  /** Undefined: this appliance is alone. */
  readonly cluster?: ClusterStatus | undefined;
}

export interface LastReload {
  readonly at: number;
  readonly ok: boolean;
  readonly tookMs: number;
  /** What changed, or what was wrong. */
  readonly changed: readonly string[];
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

export interface WorkerStatus {
  readonly index: number;
  readonly pid: number | undefined;
  readonly state: string;
  readonly uptimeMs: number;
  readonly restarts: number;
  readonly lastDeath: string | undefined;
  readonly rssBytes: number;
  readonly lagMs: number;
  readonly connections: number;
  readonly requests: number;
  readonly services: readonly string[];
  readonly listeners: readonly string[];
}

/** One address, over all workers. */
export interface ListenerStatus {
  readonly address: string;
  readonly port: number;
  readonly sites: readonly string[];
  readonly workers: readonly number[];
  /** Undefined where nobody counts them for each listener. */
  readonly connections: number | undefined;
  readonly requests: number | undefined;
}

export interface CertificateStatus {
  readonly names: readonly string[];
  readonly from: "file" | "acme";
  readonly expires: number | undefined;
}
