import type { AdminConfig } from "../config/admin.ts";
import type { Problem } from "../config/problem.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Form } from "./form.ts";
import type { Ran } from "./run-action.ts";

/** Plain JSON. */
export type Shown = Readonly<Record<string, unknown>>;

/** What the admin API needs of the appliance. Lives in the supervisor; app/ supplies it. */
export interface AdminDeps {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Who may do what, under the config in force: asked on every request, so that a reload counts. */
  access(): AdminAccess;
  /** Everything `tern status` shows. */
  status(): Shown | Promise<Shown>;
  /** The config file in force with its secrets masked, as YAML. */
  maskedConfig(): string;
  reload(): Promise<ReloadOutcome>;
  /** Begin to drain and end. Returns at once. */
  stop(): void;
  /** Replace the binary. Resolves when the new one serves; rejects with why it does not. */
  upgrade(): Promise<Shown>;
  /** Exposition text, summed over all workers. */
  metricsText(): Promise<string>;
  /** The services that run now. */
  services(): readonly AdminService[];
  /** Run an action where the service lives (see `runAction`). Both names are known to exist. */
  run(service: string, action: string, input: unknown): Promise<Ran>;
  /** The process works at all. */
  health(): boolean;
  /** Every worker serves under the config in force, and nobody is draining. */
  ready(): boolean;
}

/** Who may come in, and by which names (see `hostAllowed`). */
export type AdminAccess = Pick<AdminConfig, "users" | "hosts">;

/** Problems are told without their excerpts: those may stand beside a secret. */
export type ReloadOutcome =
  | { readonly ok: true; readonly changed: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Omit<Problem, "excerpt">[] };

export interface AdminService {
  readonly name: string;
  readonly about: string;
  /** Summed over all workers. */
  stats(): Shown | Promise<Shown>;
  readonly actions: Readonly<Record<string, ActionForm>>;
}

/** An action as plain JSON, so that it can cross a process boundary (see `actionForms`). */
export interface ActionForm {
  readonly about: string;
  /** JSON Schema of the input. */
  readonly input: Form;
}

/**
 * How a request came in: the `env` of `adminApp(...).fetch(request, caller)`, told by whoever owns
 * the listener, never by the request.
 */
export interface Caller {
  /** The admin listener it came in on. Whoever can open a unix socket may do everything. */
  readonly listener: Address;
  /** Address of the peer, without port; "" on a unix socket. */
  readonly client: string;
  /** Over TLS. */
  readonly secure: boolean;
}
