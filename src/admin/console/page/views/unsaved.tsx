import type { JSX } from "preact";

import { ChangeButton } from "../parts/button.tsx";
import { useConfirm } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Refused } from "../state/api.ts";
import { href } from "../state/route.ts";

/** What runs is not what the file says: until it is saved, or taken back. */
export function Unsaved(): JSX.Element | null {
  const store = useStore();
  const { asked, ask } = useConfirm();
  const unsaved = store.figures?.status.unsaved ?? 0;
  if (unsaved === 0) return null;
  const write = (force: boolean): Promise<unknown> =>
    store.api.send("POST", "config/save", { force });
  const save = (): Promise<unknown> =>
    store.attempt("Saved to the file.", () =>
      write(false).catch((error: unknown) => {
        if (!(error instanceof Refused) || error.code !== "changed_on_disk") throw error;
        return ask(
          {
            title: "Write over the file?",
            effects: [
              "Somebody else has changed the file since it was read, and the changes do not go together.",
              "What they have written will be lost.",
            ],
            action: "Write over it",
            danger: true,
          },
          () => store.attempt("Saved over the file.", () => write(true)),
        );
      }),
    );
  const revert = (): Promise<unknown> =>
    store.attempt("The file is in force again.", () => store.api.send("POST", "reload"));
  return (
    <div class="banner" role="status">
      <Icon name="info" />
      <span>
        {unsaved === 1 ? "One change is" : `${unsaved} changes are`} in force and not in the file.
      </span>
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
                  "What was changed since the last save is undone, at once and in all workers.",
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
