import type { JSX } from "preact";

import { Badge } from "../parts/badge.tsx";
import type { Tone } from "../parts/condition.ts";
import type { IconName } from "../parts/icon.tsx";
import type { Entry } from "../state/answers.ts";
import { clock, human } from "../state/format.ts";

const LEVELS: Readonly<Record<string, { readonly tone: Tone; readonly icon: IconName }>> = {
  error: { tone: "bad", icon: "down" },
  warn: { tone: "warn", icon: "warn" },
  info: { tone: "quiet", icon: "info" },
};

/** In every entry, or shown otherwise. */
const SHOWN_APART: readonly string[] = ["time", "level", "message", "number"];

/** What happened, in the order given. */
export function EventRows({ entries }: { readonly entries: readonly Entry[] }): JSX.Element {
  if (entries.length === 0) return <p class="soft">Nothing to show.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Log entries">
      <table class="events">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Level</th>
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => {
            const { tone, icon } = LEVELS[entry.level] ?? { tone: "quiet", icon: "info" };
            return (
              <tr key={`${entry.number} ${entry.time}`}>
                <td class="when">
                  <time dateTime={entry.time} title={entry.time}>
                    {clock(entry.time)}
                  </time>
                </td>
                <td class="level">
                  <Badge tone={tone} icon={icon}>
                    {entry.level}
                  </Badge>
                </td>
                <td>
                  <span class="message">{entry.message}</span> <Fields of={entry} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Fields({ of }: { readonly of: Entry }): JSX.Element {
  return (
    <>
      {Object.entries(of)
        .filter(([name]) => !SHOWN_APART.includes(name))
        .map(([name, value]) => (
          <span class="pair" key={name}>
            <span class="soft">{name}</span> {text(name, value)}
          </span>
        ))}
    </>
  );
}

function text(name: string, value: unknown): string {
  if (typeof value === "number") return human(name, value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Everything of an entry that can be searched for. */
export function searchable(entry: Entry): string {
  return Object.entries(entry)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ")
    .toLowerCase();
}
