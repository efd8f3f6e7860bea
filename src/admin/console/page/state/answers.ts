/** What the API answers, as far as the page looks at it. Everything may be missing: say "–" then. */
export type Plain = Readonly<Record<string, unknown>>;

/** GET /api/v1/me */
export interface Me {
  readonly name: string;
  readonly access: "full" | "readonly";
  readonly by: "socket" | "nobody" | "basic" | "bearer" | "cookie";
  readonly csrf?: string;
}

/** GET /api/v1/status */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly state: string;
  readonly config: string;
  readonly generation: number;
  readonly startedAt: number;
  readonly user: string;
  readonly admin: readonly string[];
  /** How many changes are in force and not in the file. */
  readonly unsaved?: number;
  /** Missing: this appliance is alone. */
  readonly cluster?: Plain;
  readonly lastReload?: {
    readonly at: number;
    readonly ok: boolean;
    readonly tookMs: number;
    readonly changed: readonly string[];
    readonly notes: readonly string[];
    readonly problems: readonly string[];
  };
  readonly workers: readonly {
    readonly index: number;
    readonly pid?: number;
    readonly state: string;
    readonly uptimeMs: number;
    readonly restarts: number;
    readonly lastDeath?: string;
    readonly rssBytes: number;
    readonly lagMs: number;
    readonly connections: number;
    readonly requests: number;
  }[];
  readonly listeners: readonly {
    readonly address: string;
    readonly port: number;
    readonly sites: readonly string[];
    /** Missing where they are counted for the service only. */
    readonly connections?: number;
    readonly requests?: number;
  }[];
  readonly certificates: readonly {
    readonly names: readonly string[];
    readonly from: string;
    readonly expires?: number;
  }[];
}

/** One server of a pool, in the stats of `pools`. */
export interface HostStats {
  readonly address: string;
  readonly state: string;
  readonly set: string;
  readonly why: string;
  readonly since: string;
  readonly weight: string;
  readonly backup: string;
  readonly open: number;
  readonly total: number;
  readonly failed: number;
  readonly connects: number;
  readonly connect_ms: number;
  readonly up_bytes: number;
  readonly down_bytes: number;
  readonly ejections: number;
}

export interface PoolStats {
  readonly scheduler: string;
  readonly sticky: string;
  readonly queued: number;
  /** Connections with hosts that are in the pool no more. */
  readonly leaving?: number;
  readonly hosts: Readonly<Record<string, HostStats>>;
}

/** One service of `balance`, in its stats. */
export interface BalanceStats {
  readonly listen: string;
  readonly enabled: string;
  readonly groups: string;
  /** Of each group: "main=app,upgrade=next". */
  readonly pools?: string;
  readonly tls: string;
  readonly open: number;
  readonly accepted: number;
  readonly refused: number;
  readonly rejected_by_access: number;
  readonly failed: number;
  readonly up_bytes: number;
  readonly down_bytes: number;
  readonly relay?: Readonly<Record<string, number>>;
}

/** What may be asked, and the JSON Schema of its input. */
export interface Form {
  readonly about: string;
  readonly input: Plain;
}

export interface ServiceInfo {
  readonly name: string;
  readonly about: string;
  /** Of its figures, those that do not count up: how their paths end. */
  readonly levels: readonly string[];
  readonly actions: Readonly<Record<string, Form>>;
  readonly changes: Readonly<Record<string, Form>>;
}

/** An entry of GET /api/v1/log. */
export interface Entry extends Plain {
  /** Counts up; a gap means that something was forgotten. */
  readonly number: number;
  readonly time: string;
  readonly level: string;
  readonly message: string;
}

/** The data of a `stats` event. */
export interface Figures {
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number;
  readonly status: Status;
  readonly services: Readonly<Record<string, Plain>>;
}

/** Something wrong in a config. Lines and columns count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** GET /api/v1/config/diff */
export interface FileDiff {
  readonly file: string;
  readonly changedOnDisk: boolean;
  /** As `diff -u` prints it; "" when the file says what runs. */
  readonly diff: string;
  readonly unsaved: readonly { readonly at: number; readonly who: string; readonly what: string }[];
}
