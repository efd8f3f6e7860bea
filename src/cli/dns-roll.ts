import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import reload from "./reload.ts";
import type { Where } from "./socket-path.ts";
import { print } from "./terminal.ts";

/** `tern dns roll ZONE begin|finish|abandon`: replace the key of a zone that is signed here. */
export default async function dnsRoll(
  { force = false, ...where }: Where & { force?: boolean },
  zone: string,
  step: string,
): Promise<number> {
  if (!["begin", "finish", "abandon"].includes(step))
    throw new Exit(EXIT.usage, `${step}: it is begin, finish or abandon`);
  const input = { zone, step, force };
  const answer = await ask(where, "POST", "/api/v1/services/dns/actions/roll", input);
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const { next } = answer.json as { next: string };
  const code = await reload(where);
  if (code === EXIT.ok) print(`${zone}: ${next} (tern dns status)`);
  return code;
}
