import { SysError } from "../sys/errno.ts";

/** It cannot be done, for a reason the operator can mend: told in one line, without a stack. */
export class Failure extends Error {
  override name = "Failure";
}

/** What an operator can do about a system call that failed. */
const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "not allowed; ports below 1024 need root, CAP_NET_BIND_SERVICE or socket activation",
  EADDRNOTAVAIL: "this machine has no such address",
  EMFILE: "too many open files; raise the limit (LimitNOFILE, ulimit -n)",
};

/** An error as one line for the operator. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = error instanceof SysError ? error.code : codeIn(error.message);
  const hint = code === undefined ? undefined : HINTS[code];
  return hint === undefined ? error.message : `${error.message}: ${hint}`;
}

/** A worker's error comes as its message alone: `bind 127.0.0.1:80: EACCES`. */
function codeIn(message: string): string | undefined {
  return /^(?:bind|listen) .*: (E[A-Z]+)$/.exec(message)?.[1];
}
