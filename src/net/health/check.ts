/** How often to look, and how many answers make a verdict. Milliseconds. */
export interface Rhythm {
  readonly interval: number;
  /** Longest wait for one answer. */
  readonly timeout: number;
  /** Good probes in a row that bring a target back. */
  readonly rise: number;
  /** Bad ones that take it out. */
  readonly fall: number;
}

interface WebCheck extends Rhythm {
  /** Another port than the target's own. */
  readonly port?: number | undefined;
  readonly path: string;
  readonly method: "GET" | "HEAD";
  readonly host?: string | undefined;
  /** Good statuses: any of these ranges, both ends in it. */
  readonly expect: readonly { readonly first: number; readonly last: number }[];
  /** Text that must be in the body. */
  readonly body?: string | undefined;
}

/** A way to find out whether a target is alive; `config/check.ts` reads it. */
export type Check = Rhythm &
  (
    | { readonly kind: "icmp" }
    | { readonly kind: "tcp"; readonly port?: number | undefined }
    | ({ readonly kind: "http" } & WebCheck)
    | ({ readonly kind: "https"; readonly verify: boolean } & WebCheck)
    | {
        readonly kind: "dns";
        readonly port?: number | undefined;
        readonly query?: string | undefined;
        readonly type: "A" | "AAAA" | "NS" | "SOA" | "MX" | "TXT";
      }
    | { readonly kind: "exec"; readonly command: readonly string[] }
  );

/** A check as one kind of probe sees it. */
export type CheckOf<K extends Check["kind"]> = Extract<Check, { kind: K }>;

/** Something that is up or down. Equal targets are probed once, whoever watches them. */
export interface Target {
  /** An IP address. */
  readonly host: string;
  /** Undefined when what is watched has no port of its own. */
  readonly port: number | undefined;
  readonly check: Check;
}

/** The port to knock at; 0 when the kind needs none. */
export function portFor({ port, check }: Target): number {
  const other = "port" in check ? check.port : undefined;
  return other ?? port ?? DEFAULT_PORTS[check.kind];
}

const DEFAULT_PORTS = { icmp: 0, tcp: 0, http: 80, https: 443, dns: 53, exec: 0 } as const;

/** Text that two targets share exactly when one probe serves both. */
export function keyOf({ host, port, check }: Target): string {
  const fields = Object.entries(check)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([host, port ?? null, fields]);
}

/** `icmp 192.0.2.1`, `tcp 192.0.2.1:80`: for logs. */
export function showTarget(target: Target): string {
  const { host, check } = target;
  const port = portFor(target);
  const where = host.includes(":") && port !== 0 ? `[${host}]` : host;
  return `${check.kind} ${where}${port === 0 ? "" : `:${port}`}`;
}
