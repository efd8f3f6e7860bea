import type { SchedulerName } from "../../core/schedulers/schedulers.ts";
import type { Check } from "../health/check.ts";

/** What an operator says of a server: `ready` takes clients, `drain` only those that stick to it, `down` none. */
export const ADMIN_STATES = ["ready", "drain", "down"] as const;
export type AdminState = (typeof ADMIN_STATES)[number];

/** Where servers are: one address, or a name that is looked up again and again. */
export type HostPlace =
  | { readonly kind: "address"; readonly host: string; readonly port: number }
  /** Its A and AAAA records. */
  | { readonly kind: "name"; readonly name: string; readonly port: number }
  /** Its SRV records (RFC 2782): the best priority, the others are backup. */
  | { readonly kind: "srv"; readonly name: string };

/** One host of a pool, as the config has it. Times are milliseconds. */
export interface HostPlan {
  /** Its name; as the config writes its address when it has none. */
  readonly label: string;
  readonly place: HostPlace;
  /** Its share; 0: no new clients. */
  readonly weight: number;
  /** Only used while no other is eligible. */
  readonly backup: boolean;
  /** After coming back its weight grows for so long. */
  readonly slowStart: number;
  /** Over all workers; 0: as many as come. */
  readonly maxConnections: number;
  readonly state: AdminState;
}

/** One pool, as the config has it. Times are milliseconds. */
export interface PoolPlan {
  readonly name: string;
  readonly scheduler: SchedulerName;
  readonly sticky: "off" | "ip" | "cookie";
  readonly stickyTable: { readonly size: number; readonly expire: number };
  readonly hosts: readonly HostPlan[];
  readonly check: Check | null;
  readonly retry: {
    /** How many more servers are asked after the first. */
    readonly attempts: "all" | number;
    readonly on: readonly string[];
  };
  /** Who fails so often in a row is out for so long. */
  readonly eject: { readonly errors: number; readonly for: number };
  readonly queue: { readonly size: number; readonly timeout: number };
}
