import { humanBytes } from "../core/human-bytes.ts";
import type { StoreStats } from "../services/store/stats.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { type Paint, painter, print, printJson } from "./terminal.ts";

type Stores = Readonly<Record<string, StoreStats>>;

/** `tern store status`: stages, members, and what is owed. */
export async function storeStatus(options: Where & { json?: boolean }): Promise<number> {
  const answer = await ask(options, "GET", "/api/v1/services/store/stats");
  if (answer.status === 404) throw new Exit(EXIT.failed, "this config has no stores");
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const stores = answer.json as Stores;
  if (options.json) printJson(stores);
  else print(showStores(stores, painter()));
  return EXIT.ok;
}

/** What is stored, in all and for each quota. */
function amounts({ usage = {} }: StoreStats): string[] {
  return Object.entries(usage).map(([prefix, { bytes, files, quota_bytes: quota }]) => {
    const most = quota === undefined ? "" : ` of ${humanBytes(quota)}`;
    return `  ${prefix}: ${files} files, ${humanBytes(bytes)}${most}`;
  });
}

/** For people. */
export function showStores(stores: Stores, paint: Paint): string {
  return Object.entries(stores)
    .map(([name, one]) => {
      const owed = one.under_replicated;
      const debt = owed === 0 ? "all copies are there" : `${owed} copies are owed`;
      const rows = Object.entries(one.stages ?? {}).flatMap(([number, stage]) =>
        Object.entries(stage.members).map(([id, member]) => [
          number,
          stage.placement,
          `${stage.write_quorum} of ${stage.copies}`,
          id,
          member.where,
          `${member.up ? paint("green", "up") : paint("red", "away")}${member.drained ? ", drained" : ""}`,
          String(member.failures),
          `${member.answers_in_ms}ms`,
          member.why ?? "",
        ]),
      );
      const heading = ["STAGE", "PLACEMENT", "QUORUM", "MEMBER", "WHERE", "STATE"];
      return [
        `${name}: ${owed === 0 ? debt : paint("red", debt)}; ${one.mended} mended, ` +
          `${one.to_mend} to look at; new files go to stage ${one.stage ?? 0}`,
        ...amounts(one),
        ...table([[...heading, "FAILED", "ANSWERS", "WHY"], ...rows]).map((line) => `  ${line}`),
      ].join("\n");
    })
    .join("\n\n");
}
