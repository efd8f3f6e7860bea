import type { JSX } from "preact";

import type { Plain } from "../state/answers.ts";
import { capital, human, title, UNKNOWN } from "../state/format.ts";
import { alike, isObject } from "./alike.ts";

/** Any JSON, as a person reads it: pairs, tables where things are alike, and nothing nested deeper than needed. */
export function Value(props: { readonly name: string; readonly value: unknown }): JSX.Element {
  const { name, value } = props;
  if (value === null || value === undefined || value === "")
    return <span class="soft">{UNKNOWN}</span>;
  if (typeof value === "number") return <span class="number">{human(name, value)}</span>;
  if (typeof value === "boolean") return <span>{value ? "yes" : "no"}</span>;
  if (typeof value !== "object") return <span class="text">{String(value as string)}</span>;
  if (Array.isArray(value)) return <List name={name} items={value as unknown[]} />;
  const rows = alike(value as Plain);
  if (rows) return <Rows caption={name} rows={rows} first="Name" />;
  return <Pairs of={value as Plain} />;
}

/** What is one value each. */
export function Pairs(props: { readonly of: Plain }): JSX.Element {
  const entries = Object.entries(props.of);
  if (entries.length === 0) return <span class="soft">none</span>;
  return (
    <dl class="pairs">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{capital(title(name))}</dt>
          <dd>
            <Value name={name} value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Things of one kind, a row each. */
export function Rows(props: {
  readonly caption: string;
  readonly rows: readonly (readonly [string, Plain])[];
  /** Head of the column of their names; "" when they have none. */
  readonly first: string;
}): JSX.Element {
  const { rows, first, caption } = props;
  const columns = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={capital(title(caption))}>
      <table>
        <thead>
          <tr>
            {first !== "" && <th scope="col">{capital(first)}</th>}
            {columns.map((column) => (
              <th scope="col" key={column} class={isFigure(rows, column) ? "figure" : ""}>
                {capital(title(column))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, row]) => (
            <tr key={name}>
              {first !== "" && <th scope="row">{name}</th>}
              {columns.map((column) => (
                <td key={column} class={typeof row[column] === "number" ? "figure" : ""}>
                  <Value name={column} value={row[column]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function List(props: { readonly name: string; readonly items: readonly unknown[] }): JSX.Element {
  const { name, items } = props;
  if (items.length === 0) return <span class="soft">none</span>;
  const objects = items.filter(isObject);
  if (objects.length === items.length)
    return <Rows caption={name} rows={objects.map((o, i) => [String(i), o] as const)} first="" />;
  return (
    <ul class="inline">
      {items.map((item, i) => (
        <li key={i}>
          <Value name={name} value={item} />
        </li>
      ))}
    </ul>
  );
}

function isFigure(rows: readonly (readonly [string, Plain])[], column: string): boolean {
  return rows.every(([, row]) => row[column] === undefined || typeof row[column] === "number");
}
