import type { Status } from "../app/status.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { print } from "./terminal.ts";

/** A little more than what the running tern gives itself. */
const WAIT_MS = 40_000;
const LOOK_MS = 50;

/** `tern stop`: finish what is in hand and end. */
export default async function stop(options: Where & { wait: boolean }): Promise<number> {
  const status = await ask(options, "GET", "/api/v1/status");
  const { pid } = status.json as Status;
  const answer = await ask(options, "POST", "/api/v1/stop");
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  if (!options.wait) return EXIT.ok;
  const deadline = performance.now() + WAIT_MS;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Exit(EXIT.failed, `${pid} has not ended yet`);
    await Bun.sleep(LOOK_MS);
  }
  print("stopped");
  return EXIT.ok;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it is there, and another's
  }
}
