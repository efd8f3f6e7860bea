import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { ChangeButton } from "../parts/button.tsx";
import { useStore } from "../parts/context.tsx";
import { Panel } from "../parts/page.tsx";
import { bytes, span } from "../state/format.ts";
import type { Ask } from "./host-rows.tsx";
import { Scroll } from "./machine.tsx";

/** One open connection, as the action `sessions` lists it. */
interface Session {
  readonly id: number;
  readonly client: string;
  readonly pool: string;
  readonly server: string;
  readonly step: string;
  /** Seconds. */
  readonly age: number;
  readonly up: number;
  readonly down: number;
  readonly relay: string;
}

/** Who is connected through a service, when asked, and a way to end it. */
export function SessionsPanel(props: { readonly service: string; readonly ask: Ask }): JSX.Element {
  const { service, ask } = props;
  const store = useStore();
  const [sessions, setSessions] = useState<readonly Session[] | undefined>(undefined);
  const load = async (): Promise<void> => {
    try {
      const input = { service };
      const answer = await store.api.ask<Answer>("actions", "balance", "sessions", input);
      setSessions(answer.sessions);
    } catch (error) {
      store.toast("bad", error instanceof Error ? error.message : String(error));
    }
  };
  // Listing is an action, which those who may only look cannot ask for.
  useEffect(() => {
    if (store.full) void load();
  }, []);

  const kill = ({ id, client }: Session): Promise<void> =>
    ask(
      {
        title: `End the connection of ${client}?`,
        effects: ["Client and server both see it break at once."],
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

  return (
    <Panel
      title="Connections"
      side={<ChangeButton onPress={load}>Refresh</ChangeButton>}
      {...(sessions && sessions.length > 0 && { about: `the oldest ${sessions.length}` })}
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
              <th scope="col">Client</th>
              <th scope="col">Server</th>
              <th scope="col">Now</th>
              <th scope="col" class="figure">
                Open for
              </th>
              <th scope="col" class="figure">
                From client
              </th>
              <th scope="col" class="figure">
                To client
              </th>
              <th scope="col">Moved by</th>
              <th scope="col">
                <span class="unseen">End</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sessions.map((session) => (
              <tr key={`${session.id} ${session.client}`}>
                <th scope="row" class="mono">
                  {session.client}
                </th>
                <td>
                  {session.server} <span class="soft">{session.pool}</span>
                </td>
                <td>{session.step}</td>
                <td class="figure">{span(session.age * 1000)}</td>
                <td class="figure">{bytes(session.up)}</td>
                <td class="figure">{bytes(session.down)}</td>
                <td>{session.relay}</td>
                <td class="end">
                  <ChangeButton
                    kind="quiet"
                    label={`End the connection of ${session.client}`}
                    onPress={() => kill(session)}
                  >
                    End
                  </ChangeButton>
                </td>
              </tr>
            ))}
          </tbody>
        </Scroll>
      )}
    </Panel>
  );
}

interface Answer {
  readonly sessions: readonly Session[];
}
