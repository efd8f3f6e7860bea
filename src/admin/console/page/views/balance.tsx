import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Modal } from "../parts/modal.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import { Spark } from "../parts/spark.tsx";
import { bytesPerSecond, count, perSecond } from "../state/format.ts";
import { balanceOf } from "../state/health.ts";
import { key, total } from "../state/history.ts";
import { href } from "../state/route.ts";
import { Scroll } from "./machine.tsx";

/** Every service that balances. */
export function Balance(): JSX.Element {
  const store = useStore();
  const { history } = store;
  const [adding, setAdding] = useState(false);
  const services = balanceOf(store.figures);
  const form = store.changes["balance"]?.["add-service"];
  return (
    <>
      <Head title="Balance" about="Connections in, to one group of servers each">
        {form && store.full && (
          <button type="button" class="main" onClick={() => setAdding(true)}>
            <Icon name="add" /> Add a service
          </button>
        )}
      </Head>
      <Panel title="All services">
        {services.length === 0 ? (
          <p class="soft">There are none.</p>
        ) : (
          <Scroll label="Balance services">
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col">Listens on</th>
                <th scope="col">Enabled group</th>
                <th scope="col" class="figure">
                  Open
                </th>
                <th scope="col" class="figure">
                  New
                </th>
                <th scope="col" class="figure">
                  Traffic
                </th>
                <th scope="col">Lately</th>
              </tr>
            </thead>
            <tbody>
              {services.map(([name, service]) => {
                const at = (figure: string): string => key("services", "balance", name, figure);
                const traffic = total([
                  history.rate(at("up_bytes")),
                  history.rate(at("down_bytes")),
                ]);
                return (
                  <tr key={name}>
                    <th scope="row">
                      <a href={href("balance", name)}>{name}</a>
                    </th>
                    <td class="mono">{service.listen}</td>
                    <td>{service.enabled}</td>
                    <td class="figure">{count(service.open)}</td>
                    <td class="figure">{perSecond(history.pace(at("accepted")))}</td>
                    <td class="figure">{bytesPerSecond(traffic.at(-1) ?? Number.NaN)}</td>
                    <td>
                      <Spark
                        samples={history.gauge(at("open"))}
                        label={`Open connections of ${name}`}
                        show={count}
                      />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </Scroll>
        )}
      </Panel>
      {adding && form && (
        <Modal title="Add a balance service" onClose={() => setAdding(false)}>
          <SchemaForm
            form={form}
            action="Add"
            onSubmit={async (input) => {
              const added = await store.attempt(`${input["service"]} balances.`, () =>
                store.change("balance", "add-service", input),
              );
              if (added) setAdding(false);
            }}
          />
        </Modal>
      )}
    </>
  );
}
