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

/** Keys of the root that changed and are in force now, as the config calls them. */
export function changedInRoot(old: RootConfig, next: RootConfig): string[] {
  const keys = {
    workers: "workers",
    log: "log",
    accessLog: "access_log",
    admin: "admin",
    tls: "tls",
    cluster: "cluster",
  } as const;
  return (Object.keys(keys) as (keyof typeof keys)[])
    .filter((key) => !same(old[key], next[key]))
    .map((key) => keys[key]);
}
