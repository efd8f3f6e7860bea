import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { Chart } from "../parts/chart.tsx";
import { useStore } from "../parts/context.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import { Pairs, Value } from "../parts/value.tsx";
import type { Form, Plain, ServiceInfo } from "../state/answers.ts";
import { capital, human, isTime, title } from "../state/format.ts";
import { key } from "../state/history.ts";
import { isLevel } from "../state/levels.ts";
import { Lost } from "./lost.tsx";

/** Charts of a service nobody wrote a page for: the first figures that move. */
const MOST_CHARTS = 4;

/** Any service: whatever figures it shows and whatever may be asked of it. */
export function Service({ name }: { readonly name: string }): JSX.Element {
  const store = useStore();
  const service = store.services.find((s) => s.name === name);
  const stats = store.figures?.services[name];
  if (!service)
    return store.services.length === 0 ? (
      <Head title={name} />
    ) : (
      <Lost what="service" name={name} />
    );
  const entries = Object.entries(stats ?? {});
  const plain = Object.fromEntries(entries.filter(([, v]) => typeof v !== "object" || v === null));
  const deep = entries.filter(([, v]) => typeof v === "object" && v !== null);
  return (
    <>
      <Head title={name} about={service.about} />
      <Moving service={service} stats={stats ?? {}} />
      {Object.keys(plain).length > 0 && (
        <Panel title="Figures">
          <Pairs of={plain} />
        </Panel>
      )}
      {deep.map(([part, value]) => (
        <Panel title={part} key={part}>
          <Value name={part} value={value} />
        </Panel>
      ))}
      {entries.length === 0 && <p class="soft">It shows no figures.</p>}
      <Asking service={name} kind="changes" forms={service.changes} />
      <Asking service={name} kind="actions" forms={service.actions} />
    </>
  );
}

/** Figures that move: counters as rates, levels as they are. */
function Moving(props: {
  readonly service: ServiceInfo;
  readonly stats: Plain;
}): JSX.Element | null {
  const { history } = useStore();
  const { name, levels } = props.service;
  const moving = numbersIn(props.stats, [])
    .filter((path) => !isTime(path.at(-1) ?? ""))
    .map((path) => {
      const at = key("services", name, ...path);
      const now = isLevel(levels, path);
      return { path, now, samples: now ? history.gauge(at) : history.rate(at) };
    })
    .filter(({ samples }) => samples.some((value) => value > 0))
    .slice(0, MOST_CHARTS);
  if (moving.length === 0) return null;
  return (
    <div class="charts">
      {moving.map(({ path, now, samples }) => (
        <Chart
          key={path.join(" ")}
          title={path.map(title).join(", ")}
          lines={[{ name: now ? "now" : "growing by", samples }]}
          base={/bytes$/i.test(path.at(-1) ?? "") ? 1024 : 1000}
          show={(value) => shown(path, value, now)}
        />
      ))}
    </div>
  );
}

function shown(path: readonly string[], value: number, now: boolean): string {
  if (Number.isNaN(value)) return "–";
  return `${human(path.at(-1) ?? "", value)}${now ? "" : "/s"}`;
}

function numbersIn(tree: Plain, at: readonly string[]): string[][] {
  return Object.entries(tree).flatMap(([name, value]) => {
    if (typeof value === "number") return [[...at, name]];
    const deeper = typeof value === "object" && value !== null && !Array.isArray(value);
    return deeper ? numbersIn(value as Plain, [...at, name]) : [];
  });
}

/** A form for everything it can be asked. */
function Asking(props: {
  readonly service: string;
  readonly kind: "actions" | "changes";
  readonly forms: Readonly<Record<string, Form>>;
}): JSX.Element | null {
  const { service, kind, forms } = props;
  const store = useStore();
  const entries = Object.entries(forms);
  if (entries.length === 0) return null;
  if (!store.full)
    return (
      <Panel title={capital(kind)}>
        <p class="soft">{`${entries.map(([name]) => name).join(", ")}. ${store.whyNot}.`}</p>
      </Panel>
    );
  return (
    <Panel title={capital(kind)}>
      {entries.map(([name, form]) => (
        <One key={name} service={service} kind={kind} name={name} form={form} />
      ))}
    </Panel>
  );
}

function One(props: {
  readonly service: string;
  readonly kind: "actions" | "changes";
  readonly name: string;
  readonly form: Form;
}): JSX.Element {
  const { service, kind, name, form } = props;
  const store = useStore();
  const [answer, setAnswer] = useState<{ readonly value: unknown } | undefined>(undefined);
  return (
    <details class="ask">
      <summary>
        <strong>{name}</strong> <span class="soft">{form.about}</span>
      </summary>
      <SchemaForm
        form={form}
        action={capital(title(name))}
        onSubmit={async (input) => {
          setAnswer(undefined);
          await store.attempt(`${capital(title(name))}: done.`, async () => {
            const asked =
              kind === "changes"
                ? store.change(service, name, input)
                : store.api.ask(kind, service, name, input);
            setAnswer({ value: await asked });
          });
        }}
      />
      {answer && answer.value !== null && answer.value !== undefined && (
        <div class="answer" role="region" aria-label={`Answer of ${name}`}>
          <Value name={name} value={answer.value} />
        </div>
      )}
    </details>
  );
}
