import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { run } from "../app/run.ts";
import { announce } from "./announce.ts";
import { EXIT, Exit } from "./exit.ts";

interface Options {
  readonly listen: readonly string[];
  readonly autoindex?: boolean;
  readonly webdav?: boolean;
  readonly spa?: boolean;
  readonly workers: string;
  readonly admin?: string;
  readonly accessLog?: string;
}

/** Where an upgrade of this process finds the state of the one before. */
const STATE_VARIABLE = "TERN_WEB_STATE";

/** `tern web DIR`: a config made of the command line. Its state is gone with it. */
export default async function web(options: Options, dir: string): Promise<number> {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new Exit(EXIT.usage, `${dir}: no such directory`);
  const state = (process.env[STATE_VARIABLE] ??= mkdtempSync(join(tmpdir(), "tern-web-")));
  const config = webConfig(options, resolve(dir), state);
  const code = await run({
    place: {
      kind: "text",
      name: "tern web",
      text: JSON.stringify(config, null, 2), // JSON is YAML
      base: process.cwd(),
    },
    args: process.argv.slice(2),
    announce,
  });
  // After an upgrade the next process has put its pid there, and lives in it.
  if (!existsSync(join(state, "tern.pid"))) rmSync(state, { recursive: true, force: true });
  return code;
}

/** The config that the words on the command line stand for. */
function webConfig(options: Options, root: string, state: string): object {
  const { listen, autoindex, webdav, spa, workers, admin, accessLog } = options;
  return {
    workers: workers === "auto" ? workers : Number(workers),
    state,
    admin: { listen: admin ?? [] },
    ...(accessLog !== undefined && { access_log: { file: accessLog } }),
    web: {
      site: {
        listen,
        root,
        ...(autoindex && { autoindex: true }),
        ...(webdav && { webdav: { enabled: true } }),
        ...(spa && { fallback: "/index.html" }),
      },
    },
  };
}
