import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { ChangeButton } from "../parts/button.tsx";
import { useStore } from "../parts/context.tsx";
import { Panel } from "../parts/page.tsx";
import { isObject, Value } from "../parts/value.tsx";
import type { Plain } from "../state/answers.ts";
import { capital, title } from "../state/format.ts";
import type { Ask } from "./host-rows.tsx";
import { Scroll } from "./machine.tsx";

/** Who is connected through a service, when asked, and a way to end it. */
export function SessionsPanel(props: { readonly service: string; readonly ask: Ask }): JSX.Element {
  const { service, ask } = props;
  const store = useStore();
  const [sessions, setSessions] = useState<readonly Plain[] | undefined>(undefined);
  const load = async (): Promise<void> => {
    const answer = await store.api
      .ask<unknown>("actions", "balance", "sessions", { service })
      .catch((error: unknown) => {
        store.toast("bad", error instanceof Error ? error.message : String(error));
        return [];
      });
    setSessions(listOf(answer).map((s) => ("service" in s ? without(s, "service") : s)));
  };
  // Listing is an action, which those who may only look cannot ask for.
  useEffect(() => {
    if (store.full) void load();
  }, []);

  const kill = (id: string): Promise<void> =>
    ask(
      {
        title: "End this connection?",
        effects: ["Client and server both see it closed at once."],
        action: "End it",
        danger: true,
      },
      async () => {
        await store.attempt("The connection is ended.", () =>
          store.api.ask("actions", "balance", "kill", { service, id }),
        );
        await load();
      },
    );
  const columns = [...new Set(sessions?.flatMap((s) => Object.keys(s)))].filter((c) => c !== "id");

  return (
    <Panel
      title="Connections"
      side={<ChangeButton onPress={load}>Refresh</ChangeButton>}
      {...(sessions && { about: String(sessions.length) })}
    >
      {!store.full ? (
        <p class="soft">Only users with full access can list connections.</p>
      ) : sessions === undefined ? (
        <p class="soft">Asking …</p>
      ) : sessions.length === 0 ? (
        <p class="soft">None right now.</p>
      ) : (
        <Scroll label="Connections">
          <thead>
            <tr>
              {columns.map((column) => (
                <th scope="col" key={column}>
                  {capital(title(column))}
                </th>
              ))}
              <th scope="col">
                <span class="unseen">End</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sessions.map((session) => {
              const id = String(session["id"]);
              return (
                <tr key={id}>
                  {columns.map((column) => (
                    <td
                      key={column}
                      class={typeof session[column] === "number" ? "figure" : "mono"}
                    >
                      <Value name={column} value={session[column]} />
                    </td>
                  ))}
                  <td>
                    <ChangeButton
                      kind="quiet"
                      label={`End connection ${id}`}
                      onPress={() => kill(id)}
                    >
                      End
                    </ChangeButton>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </Scroll>
      )}
    </Panel>
  );
}

/** A list, or the first list in an object: actions that run in several workers may wrap theirs. */
function listOf(answer: unknown): readonly Plain[] {
  if (Array.isArray(answer))
    return (answer as unknown[]).flatMap((a) =>
      Array.isArray(a) ? listOf(a) : isObject(a) ? [a] : [],
    );
  if (!isObject(answer)) return [];
  return listOf(Object.values(answer).find(Array.isArray));
}

function without(of: Plain, key: string): Plain {
  return Object.fromEntries(Object.entries(of).filter(([name]) => name !== key));
}
