import type { Status } from "../app/status.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import { showStatus } from "./show-status.ts";
import type { Where } from "./socket-path.ts";
import { painter, print, printJson } from "./terminal.ts";

const AGAIN_MS = 1000;
/** Cursor home, and clear what is below: less flicker than clearing all. */
const HOME = "\x1b[H\x1b[J";

/** `tern status`: once, as JSON, or again every second. */
export default async function status(
  options: Where & { json?: boolean; watch?: boolean },
): Promise<number> {
  const paint = painter();
  let before: Status | undefined;
  for (;;) {
    const now = await look(options);
    const shown = options.json ? undefined : showStatus(now, { before, paint, now: Date.now() });
    if (shown === undefined) printJson(now);
    else print(options.watch && process.stdout.isTTY ? HOME + shown : shown);
    if (!options.watch) return EXIT.ok;
    before = now;
    await Bun.sleep(AGAIN_MS);
  }
}

async function look(where: Where): Promise<Status> {
  const answer = await ask(where, "GET", "/api/v1/status");
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  return answer.json as Status;
}
