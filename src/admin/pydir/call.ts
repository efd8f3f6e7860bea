import type { AdminDeps } from "../deps.ts";

/** What pythondirector's calls need of the appliance. */
export type PydirDeps = Pick<
  AdminDeps,
  "version" | "access" | "services" | "run" | "change" | "config" | "reopen" | "stop"
>;

/** One call of the web API, let in. */
export interface PydirCall {
  readonly deps: PydirDeps;
  /** The parameter of that name, which is in lower case. Throws MissingArgument. */
  arg(name: string): string;
  /** The same; undefined when it is missing or empty. */
  maybe(name: string): string | undefined;
  /** Who asks, as the history of changes shows them. */
  readonly who: string;
  readonly mayChange: boolean;
  /** By the unix socket, which nobody can be locked out of. */
  readonly bySocket: boolean;
}

/** Writing calls redirect to a page that shows the message; the body is for programs. */
export interface Done {
  readonly message: string;
  readonly body?: "OK\n" | "NOT OK\n";
}

export type Reading = (call: PydirCall) => Response | Promise<Response>;
export type Writing = (call: PydirCall) => Done | Response | Promise<Done | Response>;

/** Answered 500, as pythondirector did. */
export class MissingArgument extends Error {
  constructor(names: readonly string[]) {
    super(`missing arg(s): ${names.join(", ")}`);
  }
}

/** It cannot be done, for a reason the caller can do something about: 400. */
export class CannotDo extends Error {}
