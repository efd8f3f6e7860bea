/** The whole web service with WebDAV on a real socket. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { parse } from "valibot";

import { webSchema } from "../../../../src/services/web/config.ts";
import { web } from "../../../../src/services/web/web.ts";
import { realFronts } from "../../../fake/fronts.ts";
import { fakeHost } from "../../../fake/host.ts";

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly root: string;
  /** A directory for whatever a client leaves behind. */
  readonly scratch: string;
}

/** Serve an empty directory, open to writing from here. */
export async function served(): Promise<Served> {
  const lent = fakeHost();
  const root = join(lent.state, "www");
  mkdirSync(root);
  const fronts = realFronts();
  const site = { listen: "127.0.0.1:0", root, webdav: { enabled: true } };
  const running = await web.prepare(parse(webSchema, { site }), { ...lent, http: fronts });
  running.start();
  return {
    port: fronts.stats()[0]?.port ?? 0,
    root,
    scratch: lent.state,
    async [Symbol.asyncDispose]() {
      await running.stop(AbortSignal.timeout(2000));
      lent[Symbol.dispose]();
    },
  };
}
