import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { print, printJson } from "./terminal.ts";

/** `tern upgrade`: the program on disk takes over from the one that runs. */
export default async function upgrade(options: Where & { json?: boolean }): Promise<number> {
  const answer = await ask(options, "POST", "/api/v1/upgrade");
  if (options.json) printJson(answer.json);
  if (!answer.ok) throw new Exit(EXIT.failed, `${reason(answer)}; the old one goes on`);
  const { pid } = answer.json as { pid: number };
  if (!options.json) print(`upgraded: process ${pid} serves now`);
  return EXIT.ok;
}
