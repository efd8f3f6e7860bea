import type { RootConfig } from "../config/root.ts";

/** What a reload cannot change, as words for the operator. Empty when it changes everything. */
export function restartNotes(old: RootConfig, next: RootConfig): string[] {
  const notes: string[] = [];
  if (old.user !== next.user) notes.push("needs a restart: user");
  if (old.state !== next.state) notes.push("needs a restart: state");
  if (old.log.format !== next.log.format) notes.push("needs a restart: log.format");
  return notes;
}
