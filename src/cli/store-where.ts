import { humanBytes } from "../core/human-bytes.ts";
import type { Explained } from "../services/store/where.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { print, printJson } from "./terminal.ts";

/** `tern store where PATH`: who should have a file, and who has it. */
export async function storeWhere(
  options: Where & { json?: boolean; store?: string },
  path: string,
): Promise<number> {
  const { store } = options;
  const input = { path, ...(store !== undefined && { store }) };
  const answer = await ask(options, "POST", "/api/v1/services/store/actions/where", input);
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const stores = answer.json as Readonly<Record<string, Explained>>;
  if (options.json) printJson(stores);
  else for (const [name, explained] of Object.entries(stores)) print(showWhere(name, explained));
  return EXIT.ok;
}

/** For people: each stage that is asked, in order, and its members for the name. */
export function showWhere(store: string, explained: Explained): string {
  const blocks = explained.map(({ stage, placement, key, at, record, members }) => {
    const rows = members.map((one) => [
      one.copy > 0 ? `copy ${one.copy}` : "stands in",
      one.member,
      one.where,
      one.has,
      one.size === undefined ? "" : humanBytes(one.size),
      one.version ?? "",
    ]);
    return [
      `${store}, stage ${stage}: ${placement} of ${key}`,
      `  data    ${at}`,
      `  record  ${record}`,
      ...table([["", "MEMBER", "WHERE", "HAS", "SIZE", "VERSION"], ...rows]).map(
        (line) => `  ${line}`,
      ),
    ].join("\n");
  });
  return blocks.join("\n\n");
}
