import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { ChangeButton } from "../parts/button.tsx";
import { Chart } from "../parts/chart.tsx";
import { useConfirm } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { fieldsOf } from "../parts/fields.ts";
import { Icon } from "../parts/icon.tsx";
import { Modal } from "../parts/modal.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import { amount, bytesPerSecond, count, milliseconds, perSecond } from "../state/format.ts";
import { poolsOf } from "../state/health.ts";
import { href } from "../state/route.ts";
import { HostRows } from "./host-rows.tsx";
import { Lost, Waiting } from "./lost.tsx";
import { poolSeries } from "./pool-table.tsx";
import { usersOf } from "./uses.ts";

/** One pool: what goes there, and everything that can be done about its hosts. */
export function Pool({ name }: { readonly name: string }): JSX.Element {
  const store = useStore();
  const { figures, history } = store;
  const { asked, ask } = useConfirm();
  const [adding, setAdding] = useState(false);
  if (!figures) return <Waiting />;
  const pool = new Map(poolsOf(figures)).get(name);
  if (!pool) return <Lost what="pool" name={name} />;

  const changes = store.changes["pools"] ?? {};
  const hosts = Object.entries(pool.hosts);
  const series = (figure: string, as: "gauge" | "rate"): Float32Array =>
    poolSeries(history, name, hosts, figure, as);
  const [waited, made] = [series("connect_ms", "rate"), series("connects", "rate")];
  const latency = waited.map((ms, i) => ((made[i] ?? 0) > 0 ? ms / (made[i] ?? 1) : Number.NaN));
  const users = usersOf(figures, name);
  const change = (what: string, input: object): Promise<unknown> =>
    store.change("pools", what, { pool: name, ...input });
  const addHost = changes["add-host"];

  return (
    <>
      <Head
        title={name}
        back={{ href: href("pools"), text: "Pools" }}
        about={
          <>
            {users.length === 0
              ? "Used by no balance service"
              : users.map(({ service, group, enabled }, i) => (
                  <>
                    {i === 0 ? "Used by " : ", "}
                    <a href={href("balance", service)}>{service}</a> as {group}
                    {enabled ? "" : " (not enabled)"}
                  </>
                ))}
            {pool.sticky !== "off" && ` · sticky by ${pool.sticky}`}
            {(pool.leaving ?? 0) > 0 &&
              ` · ${count(pool.leaving)} connections with hosts that were removed`}
            {pool.queued > 0 && ` · ${count(pool.queued)} waiting in the queue`}
          </>
        }
      >
        <Scheduler
          now={pool.scheduler}
          choices={
            fieldsOf(changes["scheduler"]?.input ?? {}).find((f) => f.name === "scheduler")
              ?.choices ?? []
          }
          onChoose={(scheduler) =>
            store.attempt(`${name} now chooses by ${scheduler}.`, () =>
              change("scheduler", { scheduler }),
            )
          }
        />
        {addHost && (
          <ChangeButton kind="main" onPress={async () => setAdding(true)}>
            <Icon name="add" /> Add a host
          </ChangeButton>
        )}
      </Head>
      <Panel title="Hosts" about={`${hosts.length}`}>
        <HostRows pool={name} hosts={hosts} ask={ask} />
      </Panel>
      <div class="charts">
        <Chart
          title="Open connections"
          lines={[{ name: "open", samples: series("open", "gauge") }]}
          show={amount}
        />
        <Chart
          title="New connections"
          lines={[
            { name: "made", samples: made },
            { name: "failed", samples: series("failed", "rate") },
          ]}
          show={perSecond}
        />
        <Chart
          title="Time to connect"
          lines={[{ name: "mean", samples: latency }]}
          show={milliseconds}
        />
        <Chart
          title="Traffic"
          lines={[
            { name: "to clients", samples: series("down_bytes", "rate") },
            { name: "to hosts", samples: series("up_bytes", "rate") },
          ]}
          show={bytesPerSecond}
          base={1024}
        />
      </div>
      {store.full && (
        <Panel title="Take away" class="danger-zone">
          <p class="soft">What the configuration of other services refers to cannot be removed.</p>
          <div class="buttons">
            <ChangeButton
              kind="danger"
              disabled={hosts.length === 0}
              onPress={() =>
                ask(
                  {
                    title: `Remove all hosts of ${name}?`,
                    effects: ["New connections to this pool find nobody until a host is added."],
                    action: "Remove all hosts",
                    danger: true,
                  },
                  () =>
                    store.attempt("All hosts are removed.", () => change("remove-all-hosts", {})),
                )
              }
            >
              Remove all hosts
            </ChangeButton>
            <ChangeButton
              kind="danger"
              onPress={() =>
                ask(
                  {
                    title: `Remove the pool ${name}?`,
                    effects: ["Its hosts and its settings go with it."],
                    action: "Remove the pool",
                    danger: true,
                  },
                  async () => {
                    const gone = await store.attempt(`Pool ${name} is removed.`, () =>
                      change("remove-pool", {}),
                    );
                    if (gone) location.hash = href("pools");
                  },
                )
              }
            >
              Remove this pool
            </ChangeButton>
          </div>
        </Panel>
      )}
      {asked}
      {adding && addHost && (
        <Modal title={`Add a host to ${name}`} onClose={() => setAdding(false)}>
          <SchemaForm
            form={addHost}
            fixed={{ pool: name }}
            action="Add"
            onSubmit={async (input) => {
              const added = await store.attempt(`${input["address"]} is added.`, () =>
                store.change("pools", "add-host", input),
              );
              if (added) setAdding(false);
            }}
          />
        </Modal>
      )}
    </>
  );
}

function Scheduler(props: {
  readonly now: string;
  readonly choices: readonly string[];
  readonly onChoose: (scheduler: string) => Promise<unknown>;
}): JSX.Element {
  const store = useStore();
  const choices = props.choices.length > 0 ? props.choices : [props.now];
  return (
    <label class="inline-field" title={store.whyNot}>
      Scheduler
      <select
        value={props.now}
        disabled={!store.full || props.choices.length === 0}
        onChange={(event) => void props.onChoose(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
