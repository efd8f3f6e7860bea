import type { JSX } from "preact";

import { ChangeButton } from "../parts/button.tsx";
import { useConfirm } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { href } from "../state/route.ts";

/** What runs is not what the file says: until it is saved, or taken back. */
export function Unsaved(): JSX.Element | null {
  const store = useStore();
  const { asked, ask } = useConfirm();
  if (store.figures?.status.unsaved !== true) return null;
  const save = (): Promise<unknown> =>
    store.attempt("Saved to the file.", () => store.api.send("POST", "config/save"));
  const revert = (): Promise<unknown> =>
    store.attempt("The file is in force again.", () => store.api.send("POST", "reload"));
  return (
    <div class="banner" role="status">
      <Icon name="info" />
      <span>What runs has changes that are not in the file yet.</span>
      <div class="buttons">
        <a class="button plain" href={href("config", "diff")}>
          Show diff
        </a>
        <ChangeButton
          onPress={() =>
            ask(
              {
                title: "Go back to the file?",
                effects: [
                  "Every change made since the last save is undone, at once and in all workers.",
                  "Open connections stay.",
                ],
                action: "Undo the changes",
                danger: true,
              },
              revert,
            )
          }
        >
          Undo
        </ChangeButton>
        <ChangeButton kind="main" onPress={save}>
          Save
        </ChangeButton>
      </div>
      {asked}
    </div>
  );
}
