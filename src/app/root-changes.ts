import { readFileSync } from "node:fs";

import type { RootConfig } from "../config/root.ts";
import { same } from "./same.ts";

/** What a reload cannot change, as words for the operator. Empty when it changes everything. */
export function restartNotes(old: RootConfig, next: RootConfig): string[] {
  const notes: string[] = [];
  if (old.user !== next.user) notes.push("needs a restart: user");
  if (old.state !== next.state) notes.push("needs a restart: state");
  if (old.log.format !== next.log.format) notes.push("needs a restart: log.format");
  return notes;
}

/** The kernel moves what waits in a closed listener's backlog to another one on the same port. */
const MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req";

/** What an operator should know about having fewer workers than before. */
export function shrinkNotes(before: number, after: number, read = readSetting): string[] {
  if (after >= before || read(MIGRATE) === "1") return [];
  return [
    "fewer workers: connections that waited for those now gone may have been reset; sysctl net.ipv4.tcp_migrate_req=1 avoids it",
  ];
}

function readSetting(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

/** Keys of the root that changed and are in force now, as the config calls them. */
export function changedInRoot(old: RootConfig, next: RootConfig): string[] {
  const keys = {
    workers: "workers",
    log: "log",
    accessLog: "access_log",
    admin: "admin",
    tls: "tls",
  } as const;
  return (Object.keys(keys) as (keyof typeof keys)[])
    .filter((key) => !same(old[key], next[key]))
    .map((key) => keys[key]);
}
