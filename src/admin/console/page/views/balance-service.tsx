import type { JSX } from "preact";

import { ChangeButton } from "../parts/button.tsx";
import { Chart } from "../parts/chart.tsx";
import { useConfirm } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { Head, Panel, Tile } from "../parts/page.tsx";
import { Pairs } from "../parts/value.tsx";
import { amount, bytes, bytesPerSecond, count, perSecond } from "../state/format.ts";
import { balanceOf } from "../state/health.ts";
import { key } from "../state/history.ts";
import { href } from "../state/route.ts";
import { Groups } from "./groups.tsx";
import { Lost, Waiting } from "./lost.tsx";
import { SessionsPanel } from "./sessions.tsx";

/** One balance service: which group has it, what goes through, and who is connected. */
export function BalanceService({ name }: { readonly name: string }): JSX.Element {
  const store = useStore();
  const { figures, history } = store;
  const { asked, ask } = useConfirm();
  if (!figures) return <Waiting />;
  const service = new Map(balanceOf(figures)).get(name);
  if (!service) return <Lost what="balance service" name={name} />;
  const at = (figure: string): string => key("services", "balance", name, figure);
  const relays = Object.entries(service.relay ?? {}).filter(([, n]) => n > 0);

  return (
    <>
      <Head
        title={name}
        back={{ href: href("balance"), text: "Balance" }}
        about={
          <>
            Listens on <span class="mono">{service.listen}</span>
            {service.tls !== "off" && ` · TLS ${service.tls}`}
          </>
        }
      />
      <Groups service={name} stats={service} ask={ask} />
      <div class="tiles">
        <Tile label="Open" value={count(service.open)} note={`${count(service.accepted)} in all`} />
        <Tile label="To clients" value={bytes(service.down_bytes)} />
        <Tile label="To servers" value={bytes(service.up_bytes)} />
        <Tile
          label="No server"
          value={count(service.failed)}
          note="clients nobody could be found for"
        />
        <Tile
          label="Turned away"
          value={count(service.refused + service.rejected_by_access)}
          note={`${count(service.rejected_by_access)} by access lists`}
        />
      </div>
      <div class="charts">
        <Chart
          title="Open connections"
          lines={[{ name: "open", samples: history.gauge(at("open")) }]}
          show={amount}
        />
        <Chart
          title="New connections"
          lines={[
            { name: "accepted", samples: history.rate(at("accepted")) },
            { name: "no server", samples: history.rate(at("failed")) },
          ]}
          show={perSecond}
        />
        <Chart
          title="Traffic"
          lines={[
            { name: "to clients", samples: history.rate(at("down_bytes")) },
            { name: "to servers", samples: history.rate(at("up_bytes")) },
          ]}
          show={bytesPerSecond}
          base={1024}
        />
        {relays.length > 0 && (
          <Panel title="How bytes are moved" about="open connections">
            <Pairs of={Object.fromEntries(relays)} />
          </Panel>
        )}
      </div>
      <SessionsPanel service={name} ask={ask} />
      {store.full && (
        <Panel title="Take away" class="danger-zone">
          <div class="buttons">
            <ChangeButton
              kind="danger"
              onPress={() =>
                ask(
                  {
                    title: `Remove ${name}?`,
                    effects: [
                      `Nobody listens on ${service.listen} any more; open connections may finish.`,
                    ],
                    action: "Remove the service",
                    danger: true,
                  },
                  async () => {
                    const gone = await store.attempt(`${name} is removed.`, () =>
                      store.change("balance", "remove-service", { service: name }),
                    );
                    if (gone) location.hash = href("balance");
                  },
                )
              }
            >
              Remove this service
            </ChangeButton>
          </div>
        </Panel>
      )}
      {asked}
    </>
  );
}
