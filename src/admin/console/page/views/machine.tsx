import type { JSX } from "preact";

import { Badge } from "../parts/badge.tsx";
import type { Status } from "../state/answers.ts";
import { bytes, count, span } from "../state/format.ts";

/** The event loops. */
export function Workers({ status }: { readonly status: Status }): JSX.Element {
  return (
    <Scroll label="Workers">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">State</th>
          <th scope="col" class="figure">
            Up
          </th>
          <th scope="col" class="figure">
            Connections
          </th>
          <th scope="col" class="figure">
            Requests
          </th>
          <th scope="col" class="figure">
            Memory
          </th>
          <th scope="col" class="figure">
            Lag
          </th>
          <th scope="col" class="figure">
            Restarts
          </th>
        </tr>
      </thead>
      <tbody>
        {status.workers.map((w) => {
          const well = ["serving", "ready", "running"].includes(w.state);
          return (
            <tr key={w.index}>
              <th scope="row">
                {w.index} {w.pid !== undefined && <span class="soft">pid {w.pid}</span>}
              </th>
              <td>
                <Badge tone={well ? "good" : "bad"} icon={well ? "up" : "down"}>
                  {w.state}
                </Badge>
              </td>
              <td class="figure">{span(w.uptimeMs)}</td>
              <td class="figure">{count(w.connections)}</td>
              <td class="figure">{count(w.requests)}</td>
              <td class="figure">{bytes(w.rssBytes)}</td>
              <td class="figure">{Math.round(w.lagMs)} ms</td>
              <td class="figure" title={w.lastDeath ?? ""}>
                {count(w.restarts)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </Scroll>
  );
}

export function Listeners({ status }: { readonly status: Status }): JSX.Element {
  if (status.listeners.length === 0) return <p class="soft">None.</p>;
  return (
    <Scroll label="Listeners">
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Serves</th>
          <th scope="col" class="figure">
            Connections
          </th>
          <th scope="col" class="figure">
            Requests
          </th>
        </tr>
      </thead>
      <tbody>
        {status.listeners.map((l) => (
          <tr key={`${l.address} ${l.port}`}>
            <th scope="row" class="mono">
              {l.address.replace(/:0$/, `:${l.port}`)}
            </th>
            <td>{l.sites.join(", ")}</td>
            <td class="figure">{count(l.connections)}</td>
            <td class="figure">{count(l.requests)}</td>
          </tr>
        ))}
      </tbody>
    </Scroll>
  );
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

export function Certificates({ status }: { readonly status: Status }): JSX.Element {
  return (
    <Scroll label="Certificates">
      <thead>
        <tr>
          <th scope="col">Names</th>
          <th scope="col">From</th>
          <th scope="col">Expires</th>
        </tr>
      </thead>
      <tbody>
        {status.certificates.map(({ names, from, expires }) => {
          const days = expires === undefined ? Number.NaN : (expires - Date.now()) / DAY_MS;
          const tone = days < 0 ? "bad" : days < SOON_DAYS ? "warn" : "good";
          return (
            <tr key={names.join(" ")}>
              <th scope="row" class="mono">
                {names.join(", ")}
              </th>
              <td>{from}</td>
              <td>
                {Number.isNaN(days) ? (
                  <span class="soft">not issued yet</span>
                ) : (
                  <Badge tone={tone} icon={tone === "good" ? "up" : "warn"}>
                    {days < 0 ? "has expired" : `in ${Math.floor(days)} days`}
                  </Badge>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </Scroll>
  );
}

/** A table that may be wider than a phone: it scrolls by itself, by keys too. */
export function Scroll(props: {
  readonly label: string;
  readonly children: JSX.Element[];
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>{props.children}</table>
    </div>
  );
}
