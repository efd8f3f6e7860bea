import type { Edit, Written } from "../../config/edit.ts";
import type { Changed } from "../deps.ts";
import { CannotDo, type PydirCall } from "./call.ts";

/** Ask a service for a change. Throws CannotDo when it is not done. */
export async function change(
  { deps, who }: PydirCall,
  service: string,
  name: string,
  input: unknown,
): Promise<void> {
  settle(await deps.change(service, name, input, who));
}

/** Several edits as one change: all of them or none. `what` is for the history. */
export async function edit(
  { deps, who, bySocket }: PydirCall,
  what: string,
  edits: (config: Written) => readonly Edit[],
): Promise<void> {
  settle(await deps.config.edit(what, who, edits, { force: bySocket }));
}

function settle(changed: Changed): void {
  switch (changed.kind) {
    case "done":
      return;
    case "refused":
      throw new CannotDo(changed.problems.join("; "));
    case "cannot":
      throw new CannotDo(changed.why);
    case "stale":
      throw new CannotDo("the config has been changed meanwhile; try again");
    case "last user":
      throw new CannotDo("nobody would be left with full access");
    case "bad config":
      throw new CannotDo(
        changed.problems
          .map(({ path, message }) => (path ? `${path}: ${message}` : message))
          .join("; "),
      );
  }
}
