import type { FileDiff } from "../admin/deps.ts";
import { age } from "./age.ts";
import { ask, reason } from "./client.ts";
import { Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { complain, type Paint, painter, print, printJson } from "./terminal.ts";

/** As diff(1) says it. */
const SAME = 0;
const DIFFERENT = 1;
const TROUBLE = 2;

/** `tern diff`: the file against what runs. */
export default async function diff(options: Where & { json?: boolean }): Promise<number> {
  const answer = await ask(options, "GET", "/api/v1/config/diff");
  if (!answer.ok) throw new Exit(TROUBLE, reason(answer));
  const it = answer.json as FileDiff & { same: boolean };
  if (options.json) printJson(it);
  else {
    const paint = painter();
    if (!it.same) print(showDiff(it.diff, paint));
    for (const line of showUnsaved(it, Date.now())) complain(line);
  }
  return it.same ? SAME : DIFFERENT;
}

/** In the colours that diffs have. */
export function showDiff(diff: string, paint: Paint): string {
  const lines = diff.trimEnd().split("\n");
  return lines
    .map((line) => {
      if (line.startsWith("---") || line.startsWith("+++")) return paint("bold", line);
      if (line.startsWith("@@")) return paint("dim", line);
      if (line.startsWith("-")) return paint("red", line);
      if (line.startsWith("+")) return paint("green", line);
      return line;
    })
    .join("\n");
}

/** Who made the difference. `now` is milliseconds since 1970. */
export function showUnsaved(
  { unsaved, changedOnDisk, file }: Pick<FileDiff, "unsaved" | "changedOnDisk" | "file">,
  now: number,
): string[] {
  const changes = unsaved.map(({ at, who, what }) => {
    return `not saved: ${what} (${who}, ${age(Math.max(0, now - at))} ago)`;
  });
  const disk = changedOnDisk ? [`${file} was changed by somebody else since it was read`] : [];
  return [...changes, ...disk];
}
