import { writeFileSync } from "node:fs";
import { basename } from "node:path";

import { readConfig } from "../app/config-text.ts";
import { showProblem } from "../config/problem.ts";
import { readText } from "../config/read-text.ts";
import type { TunnelsConfig } from "../services/tunnel/config.ts";
import { exportWg } from "../services/tunnel/wg-export.ts";
import { importWg } from "../services/tunnel/wg-import.ts";
import { parseWgConf } from "../wire/tunnel/wg-conf.ts";
import { configPlace } from "./config-place.ts";
import { EXIT, Exit } from "./exit.ts";
import { complain, print, wantsColor } from "./terminal.ts";

const STDERR = 2;
/** There are private keys in it. */
const OWNER_ONLY = 0o600;

interface Output {
  readonly output?: string;
}

/** `tern tunnel import wg0.conf`: a `tunnel:` section; what it could not carry on standard error. */
export function importConf({ output }: Output, file: string): number {
  const { yaml, notes } = importWg(parseWgConf(readText(file)), basename(file, ".conf"));
  write(yaml, output);
  for (const note of notes) complain(`${file}:${note}`);
  return EXIT.ok;
}

/** `tern tunnel export NAME`: a tunnel of the config as wg0.conf. */
export function exportConf(
  { output, config }: Output & { readonly config?: string },
  name: string,
): number {
  const read = readConfig(configPlace(config));
  if (!read.ok) {
    const color = wantsColor(STDERR);
    for (const problem of read.problems) complain(showProblem(problem, { color }));
    return EXIT.failed;
  }
  const tunnels = (read.config.sections["tunnel"] ?? {}) as TunnelsConfig;
  const tunnel = Object.hasOwn(tunnels, name) ? tunnels[name] : undefined;
  if (tunnel === undefined) throw new Exit(EXIT.failed, `there is no tunnel ${name}`);
  const conf = exportWg(tunnel);
  if (conf === undefined)
    throw new Exit(EXIT.failed, `${name} does not speak WireGuard: only tern can be its peer`);
  write(conf, output);
  return EXIT.ok;
}

function write(text: string, output: string | undefined): void {
  if (output === undefined) print(text.trimEnd());
  else writeFileSync(output, text, { flag: "wx", mode: OWNER_ONLY });
}
