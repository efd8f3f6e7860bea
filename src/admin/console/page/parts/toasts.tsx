import type { JSX } from "preact";

import { useStore } from "./context.tsx";
import { Icon } from "./icon.tsx";

/** What has just been done, or why not; read out as it appears. */
export function Toasts(): JSX.Element {
  const store = useStore();
  return (
    <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
      {store.toasts.map((toast) => (
        <div class={`toast ${toast.tone}`} key={toast.id}>
          <Icon name={toast.tone === "good" ? "up" : "warn"} />
          <div>
            <p>{toast.text}</p>
            {toast.details.length > 0 && (
              <ul>
                {toast.details.map((detail) => (
                  <li key={detail}>{detail}</li>
                ))}
              </ul>
            )}
          </div>
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            onClick={() => store.dismiss(toast.id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
