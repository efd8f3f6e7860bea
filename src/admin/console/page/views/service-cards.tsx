import type { JSX } from "preact";

import { isObject } from "../parts/alike.ts";
import { useStore } from "../parts/context.tsx";
import type { Plain } from "../state/answers.ts";
import { capital, human, perSecond, title } from "../state/format.ts";
import { key } from "../state/history.ts";
import { isLevel } from "../state/levels.ts";
import { href } from "../state/route.ts";

const MOST_FIGURES = 3;

/** Every service that runs, whatever it is, with a few figures of its own. */
export function ServiceCards(): JSX.Element {
  const { services, figures } = useStore();
  if (services.length === 0) return <p class="soft">None are configured.</p>;
  return (
    <ul class="cards">
      {services.map(({ name, about, levels }) => (
        <li key={name}>
          <a
            class="card-link"
            href={name === "pools" || name === "balance" ? href(name) : href("service", name)}
          >
            <strong>{name}</strong>
            <span class="soft">{about}</span>
            <Few of={figures?.services[name] ?? {}} service={name} levels={levels} />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The first figures that are plain numbers; how fast those grow that count. */
function Few(props: {
  readonly of: Plain;
  readonly service: string;
  readonly levels: readonly string[];
}): JSX.Element {
  const { of, service, levels } = props;
  const { history } = useStore();
  const numbers = Object.entries(of).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const things = Object.entries(of).filter(([, value]) => isObject(value));
  if (numbers.length === 0)
    return <span class="few">{things.map(([name]) => name).join(", ") || "No figures"}</span>;
  return (
    <span class="few">
      {numbers.slice(0, MOST_FIGURES).map(([name, value]) => {
        const counts = !isLevel(levels, [name]);
        const pace = counts ? history.pace(key("services", service, name)) : 0;
        return (
          <span key={name}>
            {capital(title(name))} <b>{human(name, value)}</b>
            {pace > 0 && <span class="soft"> +{perSecond(pace)}</span>}
          </span>
        );
      })}
    </span>
  );
}
