import type { RunningText } from "./running-text.ts";

/** What a save would do to a file. */
export type SavePlan =
  /** It says everything already. */
  | { readonly kind: "same"; readonly notes: readonly string[] }
  | { readonly kind: "write"; readonly text: string; readonly notes: readonly string[] }
  /** Somebody else has changed it, and the changes do not go together with ours. */
  | { readonly kind: "conflict"; readonly why: string };

const NOT_IN_FORCE =
  "the file also has changes of somebody else, which are not in force: tern reload";

/**
 * What to write to a file that says `disk` now. When somebody has changed it since it was read, our
 * changes are made in what they wrote, if that is `valid`; `force` writes over it.
 */
export function planSave(
  disk: string,
  running: Pick<RunningText, "text" | "file" | "unsaved" | "appliedTo">,
  force: boolean,
  valid: (text: string) => string | undefined,
): SavePlan {
  const { text, file, unsaved } = running;
  if (disk === text) return { kind: "same", notes: [] };
  if (disk === file || force) return { kind: "write", text, notes: [] };
  if (unsaved.length === 0) return { kind: "same", notes: [NOT_IN_FORCE] };
  const conflict = (why: string): SavePlan => ({
    kind: "conflict",
    why:
      `somebody else has changed the file, and what was changed here does not fit it: ${why}; ` +
      "reload to take theirs, or force to write over it",
  });
  try {
    const merged = running.appliedTo(disk);
    if (merged === disk) return { kind: "same", notes: [NOT_IN_FORCE] };
    const wrong = valid(merged);
    if (wrong !== undefined) return conflict(wrong);
    return { kind: "write", text: merged, notes: [NOT_IN_FORCE] };
  } catch (error) {
    return conflict(error instanceof Error ? error.message : String(error));
  }
}
