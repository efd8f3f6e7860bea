import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { configPlace } from "./config-place.ts";

/** How a verb finds the running tern. */
export interface Where {
  readonly config?: string;
  readonly socket?: string;
}

/** The defaults of `state` and of the socket in it, as config/root.ts has them. */
const STATE = "./var";
const SOCKET = "tern.sock";

/**
 * The unix socket of the running tern: as told, by $TERN_SOCKET, or by its config. The config is
 * read for these two keys only: asking for the status must work while the file is broken, or
 * when its secrets are not ours to read.
 */
export function socketPath({ config, socket }: Where): string {
  const told = socket ?? process.env["TERN_SOCKET"];
  if (told) return resolve(told);
  const place = configPlace(config);
  const base = place.kind === "file" ? dirname(resolve(place.path)) : place.base;
  const { state, socket: named } = keysOf(place.kind === "file" ? textOf(place.path) : place.text);
  return resolve(base, named ?? join(state ?? STATE, SOCKET));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // then the defaults have to do
  }
}

function keysOf(text: string): { state?: string; socket?: string } {
  try {
    const whole = Bun.YAML.parse(text) as { state?: unknown; admin?: { socket?: unknown } } | null;
    const state = whole?.state;
    const socket = whole?.admin?.socket;
    return {
      ...(typeof state === "string" && { state }),
      ...(typeof socket === "string" && { socket }),
    };
  } catch {
    return {};
  }
}
