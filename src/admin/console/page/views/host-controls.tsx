import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { ChangeButton } from "../parts/button.tsx";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Modal } from "../parts/modal.tsx";
import type { HostStats } from "../state/answers.ts";
import type { Ask } from "./host-rows.tsx";

type Wanted = "ready" | "drain" | "down";

const WANTED: readonly { readonly to: Wanted; readonly text: string; readonly done: string }[] = [
  { to: "ready", text: "Ready", done: "takes connections" },
  { to: "drain", text: "Drain", done: "is draining: no new connections, those there are stay" },
  { to: "down", text: "Down", done: "is taken down" },
];

/** What can be done with one host. */
export function HostControls(props: {
  readonly pool: string;
  readonly name: string;
  readonly host: HostStats;
  readonly last: boolean;
  readonly ask: Ask;
}): JSX.Element {
  const { pool, name, host, last, ask } = props;
  const store = useStore();
  const [more, setMore] = useState(false);
  const change = (what: string, input: object, done: string): Promise<boolean> =>
    store.attempt(done, () => store.change("pools", what, { pool, host: name, ...input }));

  const want = (to: Wanted, done: string): Promise<unknown> => {
    const go = (): Promise<unknown> => change("state", { to }, `${name} ${done}.`);
    const hurts = to !== "ready" && (last || to === "down");
    if (!hurts) return go();
    const effects = [
      ...(to === "down" ? ["It gets no new connections until it is made ready again."] : []),
      ...(last ? ["It is the only one that is ready: clients of this pool will be refused."] : []),
    ];
    const verb = to === "down" ? "Take down" : "Drain";
    return ask({ title: `${verb} ${name}?`, effects, action: verb, danger: true }, go);
  };

  return (
    <div class="host-controls">
      <div class="segments" role="group" aria-label={`State of ${name}`}>
        {WANTED.map(({ to, text, done }) => (
          <ChangeButton
            key={to}
            kind="quiet"
            label={`${text}: ${name}`}
            pressed={host.set === to}
            onPress={async () => (host.set === to ? undefined : want(to, done))}
          >
            {text}
          </ChangeButton>
        ))}
      </div>
      {store.full && (
        <button
          type="button"
          class="icon-button"
          aria-label={`More for ${name}`}
          aria-haspopup="dialog"
          onClick={() => setMore(true)}
        >
          <Icon name="more" />
        </button>
      )}
      {more && (
        <Modal title={name} onClose={() => setMore(false)}>
          <Weight
            now={host.weight}
            onSet={(weight) => change("weight", { weight }, `${name} has weight ${weight}.`)}
          />
          <div class="choice">
            <div>
              <strong>Retry now</strong>
              <p class="soft">Forget what went wrong, and probe it at once.</p>
            </div>
            <ChangeButton
              onPress={() =>
                store.attempt(`${name} is tried again.`, () =>
                  store.api.ask("actions", "pools", "retry", { pool, host: name }),
                )
              }
            >
              Retry
            </ChangeButton>
          </div>
          <div class="choice">
            <div>
              <strong>Remove</strong>
              <p class="soft">It leaves the pool. Its open connections stay until they end.</p>
            </div>
            <ChangeButton
              kind="danger"
              onPress={async () => {
                setMore(false);
                await ask(
                  {
                    title: `Remove ${name}?`,
                    effects: [
                      `It leaves the pool ${pool}; its open connections (${host.open}) stay until they end.`,
                      ...(last
                        ? ["It is the only one that is ready: clients will be refused."]
                        : []),
                    ],
                    action: "Remove",
                    danger: true,
                  },
                  () => change("remove-host", last ? { force: true } : {}, `${name} is removed.`),
                );
              }}
            >
              Remove …
            </ChangeButton>
          </div>
        </Modal>
      )}
    </div>
  );
}

function Weight(props: {
  readonly now: string;
  readonly onSet: (weight: number) => Promise<unknown>;
}): JSX.Element {
  const [typed, setTyped] = useState(props.now);
  const weight = Number(typed);
  const fits = Number.isInteger(weight) && weight >= 0 && typed.trim() !== "";
  return (
    <div class="choice">
      <label>
        <strong>Weight</strong>
        <p class="soft">Its share of new connections, beside the others.</p>
        <input
          type="number"
          min={0}
          step={1}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <ChangeButton disabled={!fits || typed === props.now} onPress={() => props.onSet(weight)}>
        Set
      </ChangeButton>
    </div>
  );
}
