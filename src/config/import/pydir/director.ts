/** What a pythondirector's XML says, as far as it means anything there. */
export interface Director {
  readonly services: readonly Service[];
  readonly admin: Admin | undefined;
  /** Path of the log; undefined is standard error. */
  readonly logging: string | undefined;
  /** Seconds until a host that failed is tried again. */
  readonly checktime: number;
}

export interface Service {
  readonly name: string;
  /** `host:port`; host is an IPv4 address, or `*` for all. */
  readonly listen: readonly string[];
  readonly groups: readonly Group[];
  /** Name of one of the groups. */
  readonly enable: string;
}

export interface Group {
  readonly name: string;
  readonly scheduler: string;
  readonly hosts: readonly Host[];
}

export interface Host {
  readonly name: string;
  /** `host:port`; host is an IPv4 address or a name. */
  readonly ip: string;
}

export interface Admin {
  /** As of a service. */
  readonly listen: string;
  readonly secure: boolean;
  readonly users: readonly User[];
}

export interface User {
  readonly name: string;
  /** A hash. */
  readonly password: string;
  readonly access: "full" | "readonly";
}

/** pythondirector's own, when the file does not say another. */
export const CHECKTIME_S = 120;

/**
 * What every service of a director is besides, as `balance:` says it: silence ends no connection,
 * and the server may be the one that speaks first.
 */
export const SERVICE_KEYS = { idle_timeout: 0, socket: { defer_accept: 0 } } as const;

/** Schedulers that pythondirector has. */
export const OWN_SCHEDULERS: readonly string[] = [
  "random",
  "roundrobin",
  "leastconns",
  "leastconnsrr",
];

/** All that can be written there: those that came later too. */
export const SCHEDULERS: readonly string[] = [
  ...OWN_SCHEDULERS,
  "iphash",
  "urlhash",
  "maglev",
  "p2c",
];
