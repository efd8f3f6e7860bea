import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { Badge } from "../parts/badge.tsx";
import { ChangeButton } from "../parts/button.tsx";
import { condition } from "../parts/condition.ts";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Modal } from "../parts/modal.tsx";
import { Panel } from "../parts/page.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import type { BalanceStats } from "../state/answers.ts";
import { poolsOf } from "../state/health.ts";
import { href } from "../state/route.ts";
import type { Ask } from "./host-rows.tsx";
import { type Group, groupsOf } from "./uses.ts";

/** The groups of a service: one has it, and a press gives it to another. */
export function Groups(props: {
  readonly service: string;
  readonly stats: BalanceStats;
  readonly ask: Ask;
}): JSX.Element {
  const { service, stats, ask } = props;
  const store = useStore();
  const [adding, setAdding] = useState(false);
  const form = store.changes["balance"]?.["add-group"];
  const change = (what: string, group: string, done: string): Promise<boolean> =>
    store.attempt(done, () => store.change("balance", what, { service, group }));

  const enable = (group: string): Promise<void> =>
    ask(
      {
        title: `Give ${service} to ${group}?`,
        effects: [
          `New connections go to the group ${group} from now on.`,
          `Open connections (${stats.open}) stay where they are.`,
        ],
        action: `Switch to ${group}`,
      },
      () => change("enable", group, `${service} goes to ${group}.`),
    );
  const remove = (group: string): Promise<void> =>
    ask(
      {
        title: `Remove the group ${group}?`,
        effects: ["Its pool stays."],
        action: "Remove the group",
        danger: true,
      },
      () => change("remove-group", group, `The group ${group} is removed.`),
    );

  return (
    <Panel
      title="Groups"
      side={
        form &&
        store.full && (
          <button type="button" class="plain" onClick={() => setAdding(true)}>
            <Icon name="add" /> Add a group
          </button>
        )
      }
    >
      <ul class="groups">
        {groupsOf(stats).map((group) => (
          <li key={group.name} class={group.enabled ? "enabled" : ""}>
            <div>
              <h3>{group.name}</h3>
              <PoolOf group={group} />
            </div>
            {group.enabled ? (
              <Badge tone="good" icon="up">
                Enabled
              </Badge>
            ) : (
              <span class="buttons">
                <ChangeButton onPress={() => enable(group.name)}>
                  Switch to {group.name}
                </ChangeButton>
                {store.full && (
                  <ChangeButton
                    kind="quiet"
                    label={`Remove the group ${group.name}`}
                    onPress={() => remove(group.name)}
                  >
                    Remove
                  </ChangeButton>
                )}
              </span>
            )}
          </li>
        ))}
      </ul>
      {adding && form && (
        <Modal title={`Add a group to ${service}`} onClose={() => setAdding(false)}>
          <SchemaForm
            form={form}
            fixed={{ service }}
            action="Add"
            onSubmit={async (input) => {
              const added = await store.attempt(`The group ${input["group"]} is there.`, () =>
                store.change("balance", "add-group", input),
              );
              if (added) setAdding(false);
            }}
          />
        </Modal>
      )}
    </Panel>
  );
}

function PoolOf({ group }: { readonly group: Group }): JSX.Element | null {
  const { figures } = useStore();
  if (group.pool === "") return null;
  const hosts = Object.values(new Map(poolsOf(figures)).get(group.pool)?.hosts ?? {});
  const up = hosts.filter((host) => condition(host).tone === "good").length;
  return (
    <span class="soft">
      pool <a href={href("pool", group.pool)}>{group.pool}</a>, {up} of {hosts.length} up
    </span>
  );
}
