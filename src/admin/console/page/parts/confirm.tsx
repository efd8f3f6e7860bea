import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useStore } from "./context.tsx";
import { Modal } from "./modal.tsx";

/** Something to think about before it is done. */
export interface Question {
  readonly title: string;
  /** What it will do, in a sentence each. */
  readonly effects: readonly string[];
  /** On the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
}

/** Ask first, then do it. Shown while it is mounted. */
export function Confirm(props: {
  readonly question: Question;
  readonly onYes: () => Promise<unknown>;
  readonly onClose: () => void;
}): JSX.Element {
  const { title, effects, action, danger } = props.question;
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const yes = async (): Promise<void> => {
    setBusy(true);
    await props.onYes();
    props.onClose();
  };
  return (
    <Modal title={title} onClose={props.onClose}>
      {effects.map((effect) => (
        <p key={effect}>{effect}</p>
      ))}
      <div class="buttons">
        <button type="button" class="plain" data-first onClick={props.onClose}>
          Cancel
        </button>
        <button
          type="button"
          class={danger ? "danger" : "main"}
          disabled={busy || !store.full}
          onClick={() => void yes()}
        >
          {action}
        </button>
      </div>
    </Modal>
  );
}

/** A question that a page may have open: the element to draw, and how to ask. */
export function useConfirm(): {
  readonly asked: JSX.Element | null;
  readonly ask: (question: Question, onYes: () => Promise<unknown>) => Promise<void>;
} {
  const [open, setOpen] = useState<
    { readonly question: Question; readonly onYes: () => Promise<unknown> } | undefined
  >(undefined);
  return {
    asked: open ? (
      <Confirm question={open.question} onYes={open.onYes} onClose={() => setOpen(undefined)} />
    ) : null,
    ask: async (question, onYes) => setOpen({ question, onYes }),
  };
}
