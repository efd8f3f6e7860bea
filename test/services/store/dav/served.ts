/** The whole store service on a real socket, over directories. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { parse } from "valibot";

import { storeSchema } from "../../../../src/services/store/config.ts";
import { store } from "../../../../src/services/store/store.ts";
import { realFronts } from "../../../fake/fronts.ts";
import { fakeHost } from "../../../fake/host.ts";

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Of the members. */
  readonly roots: readonly string[];
  /** A directory for whatever a client leaves behind. */
  readonly scratch: string;
}

/** Four directories, two copies of everything; open to writing from here. */
export async function served(keys: object = {}): Promise<Served> {
  const lent = fakeHost();
  const roots = ["a", "b", "c", "d"].map((id) => join(lent.state, `m-${id}`));
  for (const root of roots) mkdirSync(root);
  const fronts = realFronts();
  const files = {
    listen: "127.0.0.1:0",
    free_floor: "0%",
    fsync: false,
    stages: {
      0: { redundancy: 2, members: roots.map((dir, i) => ({ id: `m${i}`, dir })) },
    },
    ...keys,
  };
  const running = await store.prepare(parse(storeSchema, { files }), { ...lent, http: fronts });
  running.start();
  const port = fronts.stats()[0]?.port ?? 0;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    roots,
    scratch: lent.state,
    async [Symbol.asyncDispose]() {
      await running.stop(AbortSignal.timeout(100));
      lent[Symbol.dispose]();
    },
  };
}
