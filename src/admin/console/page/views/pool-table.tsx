import type { JSX } from "preact";

import { condition } from "../parts/condition.ts";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Spark } from "../parts/spark.tsx";
import type { HostStats } from "../state/answers.ts";
import { count, perSecond } from "../state/format.ts";
import { poolsOf } from "../state/health.ts";
import { type History, key, total } from "../state/history.ts";
import { href } from "../state/route.ts";
import { Scroll } from "./machine.tsx";

/** More than these are counted, not drawn one by one. */
const MOST_GLYPHS = 32;

/** Every pool in a row: who is up, how much goes there. */
export function PoolTable(): JSX.Element {
  const { figures, history } = useStore();
  return (
    <Scroll label="Pools">
      <thead>
        <tr>
          <th scope="col">Pool</th>
          <th scope="col">Hosts</th>
          <th scope="col">Scheduler</th>
          <th scope="col" class="figure">
            Open
          </th>
          <th scope="col" class="figure">
            New
          </th>
          <th scope="col">Lately</th>
        </tr>
      </thead>
      <tbody>
        {poolsOf(figures).map(([name, pool]) => {
          const hosts = Object.entries(pool.hosts);
          const pace = poolSeries(history, name, hosts, "connects", "rate");
          return (
            <tr key={name}>
              <th scope="row">
                <a href={href("pool", name)}>{name}</a>
              </th>
              <td>
                <Glyphs hosts={hosts} />
              </td>
              <td>{pool.scheduler}</td>
              <td class="figure">{count(hosts.reduce((sum, [, h]) => sum + h.open, 0))}</td>
              <td class="figure">{perSecond(pace.at(-1) ?? Number.NaN)}</td>
              <td>
                <Spark
                  samples={poolSeries(history, name, hosts, "open", "gauge")}
                  label={`Open connections of ${name}`}
                  show={count}
                />
              </td>
            </tr>
          );
        })}
      </tbody>
    </Scroll>
  );
}

/** One figure of all hosts of a pool together. */
export function poolSeries(
  history: History,
  pool: string,
  hosts: readonly (readonly [string, HostStats])[],
  figure: string,
  as: "gauge" | "rate",
): Float32Array {
  return total(
    hosts.map(([host]) => history[as](key("services", "pools", pool, "hosts", host, figure))),
  );
}

/** A mark for every host, and how many are up. */
function Glyphs({
  hosts,
}: {
  readonly hosts: readonly (readonly [string, HostStats])[];
}): JSX.Element {
  const up = hosts.filter(([, host]) => condition(host).tone === "good").length;
  return (
    <span class="glyphs">
      <span class="glyph-row" aria-hidden="true">
        {hosts.slice(0, MOST_GLYPHS).map(([name, host]) => {
          const { tone, icon, word } = condition(host);
          return (
            <span key={name} class={`glyph ${tone}`} title={`${name}: ${word}`}>
              <Icon name={icon} />
            </span>
          );
        })}
      </span>
      <span>
        {up} of {hosts.length} up
      </span>
    </span>
  );
}
