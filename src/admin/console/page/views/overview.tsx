import type { JSX } from "preact";

import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Head, Panel, Tile } from "../parts/page.tsx";
import { Spark } from "../parts/spark.tsx";
import { Pairs } from "../parts/value.tsx";
import type { Figures } from "../state/answers.ts";
import { ago, amount, bytesPerSecond, count, perSecond, span } from "../state/format.ts";
import { balanceOf, poolsOf, type Trouble, troubles } from "../state/health.ts";
import { key, total } from "../state/history.ts";
import { href } from "../state/route.ts";
import { EventRows } from "./event-rows.tsx";
import { Waiting } from "./lost.tsx";
import { Certificates, Listeners, Workers } from "./machine.tsx";
import { PoolTable } from "./pool-table.tsx";
import { ServiceCards } from "./service-cards.tsx";

/** Everything at a glance. */
export function Overview(): JSX.Element {
  const store = useStore();
  const { figures } = store;
  if (!figures) return <Waiting />;
  const { status } = figures;
  return (
    <>
      <Head
        title="Overview"
        about={`Up ${span(Date.now() - status.startedAt)}, running ${status.config}`}
      />
      <Health found={troubles(figures, Date.now())} />
      <Tiles figures={figures} />
      {poolsOf(figures).length > 0 && (
        <Panel title="Pools">
          <PoolTable />
        </Panel>
      )}
      <Panel title="Services">
        <ServiceCards />
      </Panel>
      <Panel title="Workers">
        <Workers status={status} />
      </Panel>
      <div class="columns">
        <Panel title="Listeners">
          <Listeners status={status} />
        </Panel>
        <div class="column">
          <Panel title="Last reload">
            <LastReload figures={figures} />
          </Panel>
          {status.certificates.length > 0 && (
            <Panel title="Certificates">
              <Certificates status={status} />
            </Panel>
          )}
          {status.cluster && (
            <Panel title="Cluster">
              <Pairs of={status.cluster} />
            </Panel>
          )}
        </div>
      </div>
      <Panel title="Latest events" side={<a href={href("events")}>All events</a>}>
        <EventRows entries={store.entries.slice(-8).reverse()} />
      </Panel>
    </>
  );
}

function Health({ found }: { readonly found: readonly Trouble[] }): JSX.Element {
  if (found.length === 0)
    return (
      <p class="health good">
        <Icon name="up" /> All is well.
      </p>
    );
  return (
    <ul class="health">
      {found.map(({ tone, text, to }) => (
        <li key={text} class={tone}>
          <Icon name={tone === "bad" ? "down" : "warn"} />
          {to ? <a href={href(...to)}>{text}</a> : text}
        </li>
      ))}
    </ul>
  );
}

function Tiles({ figures }: { readonly figures: Figures }): JSX.Element {
  const { history } = useStore();
  const balanced = balanceOf(figures).length > 0;
  const open = history.gauge(key("total", "connections"));
  const failed = history.rate(key("total", "failed"));
  const traffic = total([
    history.rate(key("total", "up_bytes")),
    history.rate(key("total", "down_bytes")),
  ]);
  const tile = (
    label: string,
    samples: Float32Array,
    show: (value: number) => string,
    bad = false,
  ): JSX.Element => (
    <Tile label={label} value={show(samples.at(-1) ?? Number.NaN)} bad={bad}>
      <Spark samples={samples} label={label} show={show} />
    </Tile>
  );
  return (
    <div class="tiles">
      {tile("Open connections", open, count)}
      {tile("Requests", history.rate(key("total", "requests")), perSecond)}
      {balanced && tile("New connections", history.rate(key("total", "accepted")), perSecond)}
      {balanced && tile("Relayed", traffic, bytesPerSecond)}
      {balanced && tile("Failures", failed, perSecond, (failed.at(-1) ?? 0) > 0)}
    </div>
  );
}

function LastReload({ figures }: { readonly figures: Figures }): JSX.Element {
  const { lastReload, generation, startedAt } = figures.status;
  if (!lastReload) return <p class="soft">None since the start, {ago(startedAt)}.</p>;
  const { ok, at, tookMs, changed, notes, problems } = lastReload;
  return (
    <div class="stack">
      <p>
        <span class={`badge ${ok ? "good" : "bad"}`}>
          <Icon name={ok ? "up" : "down"} />
          {ok ? "In force" : "Refused"}
        </span>{" "}
        {ago(at)}, took {amount(tookMs)} ms. Config number {generation}.
      </p>
      {changed.length > 0 && <p>Changed: {changed.join(", ")}.</p>}
      {notes.length + problems.length > 0 && (
        <ul class="plain-list">
          {[...problems, ...notes].map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
