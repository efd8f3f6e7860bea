import { writeFileSync } from "node:fs";

import { readConfig } from "../app/config-text.ts";
import { written } from "../config/edit.ts";
import { exportPydir } from "../config/export/pydir/pydir.ts";
import { showProblem } from "../config/problem.ts";
import { ask, reason } from "./client.ts";
import { configPlace } from "./config-place.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { complain, print, wantsColor } from "./terminal.ts";

const STDERR = 2;
/** There are password hashes in it. */
const OWNER_ONLY = 0o600;

interface Options extends Where {
  readonly pydir?: boolean;
  readonly running?: boolean;
  readonly output?: string;
}

/** `tern export --pydir`: what runs, or what a config says, in the words of pythondirector. */
export default async function exportVerb(options: Options): Promise<number> {
  if (!options.pydir) throw new Exit(EXIT.usage, "say what as: --pydir is pythondirector's XML");
  const xml = (await runningXml(options)) ?? fileXml(options.config);
  if (xml === undefined) return EXIT.failed;
  if (options.output === undefined) print(xml.trimEnd());
  else writeFileSync(options.output, xml, { flag: "wx", mode: OWNER_ONLY });
  return EXIT.ok;
}

/** Undefined when the config is meant, or nothing runs and it was not insisted on. */
async function runningXml(options: Options): Promise<string | undefined> {
  if (options.config !== undefined && !options.running) return undefined;
  try {
    const answer = await ask(options, "GET", "/pydir/running.xml");
    if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
    return answer.text;
  } catch (error) {
    const absent = error instanceof Exit && error.code === EXIT.notRunning;
    if (options.running || !absent) throw error;
    return undefined;
  }
}

/** Undefined when the config is wrong, which is said. */
function fileXml(config: string | undefined): string | undefined {
  const read = readConfig(configPlace(config));
  if (!read.ok) {
    const color = wantsColor(STDERR);
    for (const problem of read.problems) complain(showProblem(problem, { color }));
    return undefined;
  }
  const { source, root } = read.config;
  const users = root.admin.users.map((user) => ({ ...user, password: user.password.reveal() }));
  const { xml, notes } = exportPydir(written(source.text), users);
  for (const note of notes) complain(`${source.file}: ${note}`);
  return xml;
}
