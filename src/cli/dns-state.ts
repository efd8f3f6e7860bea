import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { print } from "./terminal.ts";

/** `tern dns state RECORD up|down|drain|auto`: an operator's word above what probes say. */
export default async function dnsState(
  { name, ...where }: Where & { name?: string },
  record: string,
  to: string,
): Promise<number> {
  if (!["up", "down", "drain", "auto"].includes(to))
    throw new Exit(EXIT.usage, `${to}: it is up, down, drain or auto`);
  const input = { record, to, ...(name !== undefined && { name }) };
  const answer = await ask(where, "POST", "/api/v1/services/dns/actions/state", input);
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const { records } = answer.json as { records: number };
  if (records === 0 && to !== "auto")
    throw new Exit(EXIT.failed, `no computed name has a record ${record}`);
  print(`${record} ${to}: ${records} ${records === 1 ? "record" : "records"}`);
  return EXIT.ok;
}
