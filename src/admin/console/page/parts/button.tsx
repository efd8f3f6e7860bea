import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";

import { useStore } from "./context.tsx";

/** Changes something: cannot be pressed by those who may only look, nor twice. */
export function ChangeButton(props: {
  readonly children: ComponentChildren;
  /** What it says to those who cannot see what it stands beside. */
  readonly label?: string;
  readonly kind?: "main" | "danger" | "quiet";
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly onPress: () => Promise<unknown>;
}): JSX.Element {
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    setBusy(true);
    await props.onPress().finally(() => setBusy(false));
  };
  return (
    <button
      type="button"
      class={props.kind ?? "plain"}
      {...(props.label !== undefined && { "aria-label": props.label })}
      {...(props.pressed !== undefined && { "aria-pressed": props.pressed })}
      {...(store.whyNot !== "" && { title: store.whyNot })}
      aria-busy={busy}
      disabled={busy || !store.full || props.disabled === true}
      onClick={() => void press()}
    >
      {props.children}
    </button>
  );
}
