import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Modal } from "../parts/modal.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import { poolsOf } from "../state/health.ts";
import { PoolTable } from "./pool-table.tsx";

/** All pools. */
export function Pools(): JSX.Element {
  const store = useStore();
  const [adding, setAdding] = useState(false);
  const form = store.changes["pools"]?.["add-pool"];
  return (
    <>
      <Head title="Pools" about="Servers that do the same work">
        {form && store.full && (
          <button type="button" class="main" onClick={() => setAdding(true)}>
            <Icon name="add" /> Add a pool
          </button>
        )}
      </Head>
      <Panel title="All pools">
        {poolsOf(store.figures).length > 0 ? <PoolTable /> : <p class="soft">There are none.</p>}
      </Panel>
      {adding && form && (
        <Modal title="Add a pool" onClose={() => setAdding(false)}>
          <SchemaForm
            form={form}
            action="Add"
            onSubmit={async (input) => {
              const added = await store.attempt(`Pool ${input["pool"]} is there.`, () =>
                store.change("pools", "add-pool", input),
              );
              if (added) setAdding(false);
            }}
          />
        </Modal>
      )}
    </>
  );
}
