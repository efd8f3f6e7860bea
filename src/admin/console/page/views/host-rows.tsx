import type { JSX } from "preact";

import { ConditionBadge } from "../parts/badge.tsx";
import { condition } from "../parts/condition.ts";
import type { Question } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { Spark } from "../parts/spark.tsx";
import type { HostStats } from "../state/answers.ts";
import { bytes, count, milliseconds, perSecond, span, unbroken } from "../state/format.ts";
import { key } from "../state/history.ts";
import { HostControls } from "./host-controls.tsx";

export type Ask = (question: Question, onYes: () => Promise<unknown>) => Promise<void>;

/** The hosts of a pool, one after the other: how they are, what they do, and what to do with them. */
export function HostRows(props: {
  readonly pool: string;
  readonly hosts: readonly (readonly [string, HostStats])[];
  readonly ask: Ask;
}): JSX.Element {
  if (props.hosts.length === 0) return <p class="soft">There are none. Add the first one.</p>;
  const ready = props.hosts.filter(([, h]) => h.set === "ready").length;
  return (
    <ul class="hosts">
      {props.hosts.map(([name, host]) => (
        <Host
          key={name}
          pool={props.pool}
          name={name}
          host={host}
          last={ready === 1 && host.set === "ready"}
          ask={props.ask}
        />
      ))}
    </ul>
  );
}

function Host(props: {
  readonly pool: string;
  readonly name: string;
  readonly host: HostStats;
  /** Nobody would be left without it. */
  readonly last: boolean;
  readonly ask: Ask;
}): JSX.Element {
  const { pool, name, host } = props;
  const { history } = useStore();
  const at = (figure: string): string => key("services", "pools", pool, "hosts", name, figure);
  const latency = history.ratio(at("connect_ms"), at("connects"));
  const mean = host.connects > 0 ? host.connect_ms / host.connects : Number.NaN;
  const since = Date.parse(host.since);
  return (
    <li class={`host ${condition(host).tone}`} aria-label={name}>
      <div class="host-name">
        <h3>{name}</h3>
        <span class="soft">
          {name !== host.address && <span class="mono">{host.address}</span>}
          {host.weight !== "1" && <span>weight {host.weight}</span>}
          {host.backup === "yes" && <span>backup</span>}
        </span>
      </div>
      <div class="host-state">
        <ConditionBadge is={condition(host)} />
        <span class="soft">
          {host.why !== "" && <span>{host.why}</span>}
          {since > 0 && <span>for {span(Date.now() - since)}</span>}
        </span>
      </div>
      <Meter
        label="Open"
        of={name}
        value={count(host.open)}
        note={`${count(host.total)} in all`}
        samples={history.gauge(at("open"))}
        show={count}
      />
      <Meter
        label="New"
        of={name}
        value={perSecond(history.pace(at("connects")))}
        note={`${count(host.failed)} failed`}
        samples={history.rate(at("connects"))}
        show={perSecond}
      />
      <Meter
        label="Connect"
        of={name}
        value={milliseconds(latency.at(-1) || mean)}
        note={`${unbroken(`↑ ${bytes(host.up_bytes)}`)} ${unbroken(`↓ ${bytes(host.down_bytes)}`)}`}
        samples={latency}
        show={milliseconds}
      />
      <HostControls {...props} />
    </li>
  );
}

function Meter(props: {
  readonly label: string;
  readonly of: string;
  readonly value: string;
  readonly note: string;
  readonly samples: Float32Array;
  readonly show: (value: number) => string;
}): JSX.Element {
  return (
    <div class="meter">
      <span class="label">{props.label}</span>
      <strong>{props.value}</strong>
      <Spark samples={props.samples} label={`${props.label}, ${props.of}`} show={props.show} />
      <span class="soft">{props.note}</span>
    </div>
  );
}
