import type { AdminConfig } from "../config/admin.ts";
import type { ConfigDiff } from "../config/config-diff.ts";
import type { Edit, Written } from "../config/edit.ts";
import type { Problem } from "../config/problem.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import type { Journal } from "../observe/journal.ts";
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
  /** The text that runs, and the file it came from. */
  readonly config: ConfigDesk;
  reload(who: string): Promise<ReloadOutcome>;
  /** Open every log file again, in all processes: the old ones were moved away. */
  reopen(): void;
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
  /** What may be changed, for every service of this program, whether its section is there or not. */
  changes(): Readonly<Record<string, Readonly<Record<string, ActionForm>>>>;
  /** Change the running config. Both names are known to exist. */
  change(service: string, change: string, input: unknown, who: string): Promise<Changed>;
  /** What happened lately, in all processes. */
  readonly journal: Pick<Journal, "after" | "listen">;
  /** `status` and the stats of every service at one moment, for whoever watches. */
  figures(): Promise<Shown>;
  /** The process works at all. */
  health(): boolean;
  /** Every worker serves under the config in force, and nobody is draining. */
  ready(): boolean;
}

/** Who may come in, and by which names (see `hostAllowed`). */
export type AdminAccess = Pick<AdminConfig, "users" | "hosts">;

/** Where the running config is read, changed and written down. */
export interface ConfigDesk {
  /** How many configs were put in force: what a change may be based on. */
  readonly generation: number;
  /** In force, with its secrets masked, as YAML. */
  masked(): string;
  /** The values in force, as they are written. Not for showing: nothing is masked. */
  written(): Written;
  /** The same of the file, as it was when it was last read or written by us. */
  filed(): Written;
  /** What is wrong with a text; masks in it stand for the secrets of the text in force. */
  check(text: string): CheckedText;
  /** Put a whole text in force; masks as with `check`. */
  put(text: string, who: string, how?: How): Promise<Changed>;
  /** Change the text by edits, which may throw Error in words for the operator. */
  edit(
    what: string,
    who: string,
    edits: (config: Written) => readonly Edit[],
    how?: How,
  ): Promise<Changed>;
  /**
   * Write what runs to the file. `force`: over what others have written there meanwhile. `render`:
   * only tell what would be written, for somebody who may do it where we may not.
   */
  save(who: string, how: { readonly force: boolean; readonly render: boolean }): Promise<Saved>;
  /** The file, as it is now, against what runs. */
  diff(): FileDiff;
}

/** How a change is to be made. */
export interface How {
  /** The generation it was made for; any when not told. */
  readonly base?: number | undefined;
  /** Also when nobody is left who may change anything by the network. */
  readonly force?: boolean;
}

/** Problems are told without their excerpts: those may stand beside a secret. */
export type ToldProblem = Omit<Problem, "excerpt">;

export interface CheckedText {
  readonly problems: readonly ToldProblem[];
  /** Allowed, and surely not meant. */
  readonly warnings: readonly string[];
}

/** What a change of the running config came to. */
export type Changed =
  | ({ readonly kind: "done" } & Done)
  /** The input does not fit the change's schema. */
  | { readonly kind: "refused"; readonly problems: readonly string[] }
  /** It makes no sense now, for this reason. */
  | { readonly kind: "cannot"; readonly why: string }
  /** The config has changed since the generation it was made for. */
  | { readonly kind: "stale"; readonly generation: number }
  /** Nobody would be left who may change anything by the network. */
  | { readonly kind: "last user" }
  | { readonly kind: "bad config"; readonly problems: readonly ToldProblem[] };

/** In force, in all workers. */
export interface Done {
  /** Services and sections of the root that changed. */
  readonly changed: readonly string[];
  /** What an operator should know about it. */
  readonly notes: readonly string[];
  readonly generation: number;
  /** How many changes are in force and not in the file. */
  readonly unsaved: number;
}

/** A change that is in force and not in the file. */
export interface UnsavedChange {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

export type Saved =
  | { readonly kind: "saved"; readonly file: string; readonly notes: readonly string[] }
  /** The file says it already. */
  | { readonly kind: "same"; readonly file: string; readonly notes: readonly string[] }
  | { readonly kind: "rendered"; readonly file: string; readonly text: string }
  | {
      readonly kind: "refused";
      readonly error: "no_file" | "changed_on_disk" | "cannot_write";
      readonly why: string;
    };

export interface FileDiff extends ConfigDiff {
  /** "" when there is no file. */
  readonly file: string;
  /** The file was changed by somebody else since it was read. */
  readonly changedOnDisk: boolean;
  readonly unsaved: readonly UnsavedChange[];
}

export type ReloadOutcome =
  | {
      readonly ok: true;
      readonly changed: readonly string[];
      readonly notes: readonly string[];
      /** What was in force, is not in the file, and so is gone. */
      readonly dropped: readonly UnsavedChange[];
    }
  | { readonly ok: false; readonly problems: readonly ToldProblem[] };

export interface AdminService {
  readonly name: string;
  readonly about: string;
  /** Of its figures, those that do not count up: how their paths end. */
  readonly levels: readonly string[];
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
  /** Aborts when the listener is being closed: what would go on for ever ends. */
  readonly closing?: AbortSignal;
}
