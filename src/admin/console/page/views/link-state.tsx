import type { JSX } from "preact";
import { useEffect, useReducer } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";

/** Whether what is shown is from this very second. */
export function LinkState(): JSX.Element {
  const { link } = useStore();
  const word = { live: "Live", connecting: "Connecting", waiting: "Offline" }[link.kind];
  return (
    <span class={`link-state ${link.kind}`} title={word}>
      <span class="dot" aria-hidden="true" />
      {word}
    </span>
  );
}

/** Says so when it is not, and when it is tried again. */
export function LinkBanner(): JSX.Element | null {
  const store = useStore();
  const { link } = store;
  const [, tick] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (link.kind !== "waiting") return;
    const timer = setInterval(() => tick(undefined), 1000);
    return () => clearInterval(timer);
  }, [link.kind]);
  // The first connection is no news; only one that was lost is.
  const lost = link.kind === "waiting" || (link.kind === "connecting" && store.figures);
  if (!lost) return null;
  const seconds = link.kind === "waiting" ? Math.ceil((link.until - Date.now()) / 1000) : 0;
  return (
    <p class="banner warn" role="status">
      <Icon name="warn" />
      <span>
        The line to the server is lost; what you see may be old.{" "}
        <span aria-live="off">
          {seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again …"}
        </span>
      </span>
    </p>
  );
}
