import * as v from "valibot";

import { reactor } from "../../src/net/reactor-loop.ts";
import { placeholder } from "../../src/net/tls/self-signed.ts";
import { webSchema } from "../../src/services/web/config.ts";
import { web } from "../../src/services/web/web.ts";
import { realFronts } from "../fake/fronts.ts";
import { fakeHost } from "../fake/host.ts";

/** The web service on a free loopback port of this process, with keys of a site as its file has them. */
export async function webSite(
  root: string,
  keys: object = {},
): Promise<{ readonly port: number } & AsyncDisposable> {
  const lent = fakeHost();
  const http = realFronts(await placeholder("localhost", Date.now()));
  // One loop for all: two that wait in one thread would each make the other late.
  const host = { ...lent, http, reactor: reactor() };
  const sections = v.parse(webSchema, { site: { root, listen: "127.0.0.1:0", ...keys } });
  const instance = await web.prepare(sections, host);
  instance.start();
  return {
    port: http.stats()[0]?.port ?? 0,
    [Symbol.asyncDispose]: async () => {
      await instance.stop(AbortSignal.timeout(2000));
      lent[Symbol.dispose]();
    },
  };
}
