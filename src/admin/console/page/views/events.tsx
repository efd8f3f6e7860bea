import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Head, Panel } from "../parts/page.tsx";
import type { Entry } from "../state/answers.ts";
import { count } from "../state/format.ts";
import { EventRows, searchable } from "./event-rows.tsx";

const LEVELS = ["info", "warn", "error"] as const;
const PAGE = 200;

/** What happened lately, and who did it: newest first, searched as you type. */
export function Events(): JSX.Element {
  const store = useStore();
  const [words, setWords] = useState("");
  const [least, setLeast] = useState<(typeof LEVELS)[number]>("info");
  const [held, setHeld] = useState<readonly Entry[] | undefined>(undefined);
  const [most, setMost] = useState(PAGE);

  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (held ?? store.entries).filter((entry) => {
    const level = LEVELS.indexOf(entry.level as (typeof LEVELS)[number]);
    if (level >= 0 && level < LEVELS.indexOf(least)) return false;
    const text = wanted.length > 0 ? searchable(entry) : "";
    return wanted.every((word) => text.includes(word));
  });
  const missed = held ? store.entries.length - held.length : 0;

  return (
    <>
      <Head title="Events" about="Health changes, reloads, and who did what; newest first" />
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">
          <span class="label">Search</span>
          <input
            type="search"
            placeholder="web-1, login, who=ann …"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
        <label>
          <span class="label">Level</span>
          <select
            value={least}
            onChange={(event) => setLeast(LEVELS[event.currentTarget.selectedIndex] ?? "info")}
          >
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {{ info: "everything", warn: "warnings and errors", error: "errors only" }[level]}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="plain"
          aria-pressed={held !== undefined}
          onClick={() => setHeld(held ? undefined : store.entries)}
        >
          {held ? `Go on${missed > 0 ? ` (${missed} new)` : ""}` : "Hold still"}
        </button>
      </form>
      <Panel title="Log" about={<span role="status">{`${count(found.length)} shown`}</span>}>
        <EventRows entries={found.slice(-most).reverse()} />
        {found.length > most && (
          <button type="button" class="plain" onClick={() => setMost(most + PAGE)}>
            Show {Math.min(PAGE, found.length - most)} more
          </button>
        )}
      </Panel>
    </>
  );
}
