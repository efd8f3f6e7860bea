import type { Refused } from "../../sys/dial.ts";
import type { ConnectFailure } from "../pools/pool.ts";

const WORDS: Partial<Record<Refused, ConnectFailure>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  ECONNRESET: "reset",
};

/** No server's fault: we are out of files, memory or ports. */
const OURS: ReadonlySet<Refused> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EAGAIN",
  "EADDRNOTAVAIL",
]);

/** What an errno of connect(2) says of the server; "exhausted" when it says something of us. */
export function connectFailure(why: Refused): ConnectFailure | "exhausted" {
  return WORDS[why] ?? (OURS.has(why) ? "exhausted" : "error");
}
