/** Files over many servers: the only file here that attaches to listeners. */
import * as v from "valibot";

import { type Attachment, limitsOf, type Site } from "../../net/http-fronts.ts";
import { httpListens } from "../../net/listen.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import type { Host, Instance, Service } from "../service.ts";
import { storeSchema, type StoreSection } from "./config.ts";
import { measure } from "./meters.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { repairActions } from "./repair/actions.ts";
import { statsOf } from "./stats.ts";
import { explain, type Explained } from "./where.ts";

/** Copies of files on directories and servers, found by arithmetic. */
export const store: Service<StoreSection> = {
  name: "store",
  about: "files over many servers and disks, with copies, found by arithmetic",
  levels: [
    "cache.files",
    "cache.bytes",
    "usage.*.bytes",
    "usage.*.files",
    "usage.*.quota_bytes",
    "under_replicated",
    "to_mend",
    "repair.owed",
    "repair.lost",
    "scrub.done",
    "scrub.began_at",
    "scrub.last_at",
    "stage",
    "copies",
    "write_quorum",
    "answers_in_ms",
  ],
  schema: storeSchema,
  prepare,
  listens: (config) => httpListens("store", config),
};

interface Running {
  readonly name: string;
  readonly open: OpenStore;
  attachment: Attachment | undefined;
}

async function prepare(config: StoreSection, host: Host): Promise<Instance> {
  const running: Running[] = [];
  try {
    for (const [name, one] of Object.entries(config)) {
      const made: Running = {
        name,
        open: await openStore(name, one, host),
        attachment: undefined,
      };
      running.push(made);
      made.attachment = await host.http.attach(siteFor(made, host));
    }
  } catch (failed) {
    await stop(running, AbortSignal.abort());
    throw failed;
  }
  const forgets = running.map(({ name, open }) => measure(name, open, host));
  return {
    start() {
      for (const { attachment, open, name } of running) {
        attachment?.open();
        open.mender.start();
        open.repair.start();
        void open.mark(); // what fails in it is logged
        if (host.worker.index > 0) continue;
        open
          .remember()
          .catch((error: unknown) =>
            host.log.error("the stages cannot be written down", { store: name, error }),
          );
      }
    },
    stats: () => Object.fromEntries(running.map((one) => [one.name, statsOf(one.open, host)])),
    async stop(deadline) {
      for (const forget of forgets) forget();
      await stop(running, deadline);
    },
    actions: {
      ...repairActions(
        running.map(({ name, open: { repair } }) => ({ name, repair })),
        host.worker.index === 0,
      ),
      where: {
        about: "which members have a file, and which version of it",
        input: v.strictObject({ path: v.string(), store: v.optional(v.string()) }),
        run: ({ path, store: wanted }: { path: string; store?: string | undefined }) =>
          whereIs(running, path, wanted),
      },
    },
  };
}

async function whereIs(
  running: readonly Running[],
  path: string,
  wanted: string | undefined,
): Promise<Readonly<Record<string, Explained>>> {
  const asked = running.filter(({ name }) => wanted === undefined || name === wanted);
  if (asked.length === 0) throw new Error(`there is no store "${wanted}"`);
  return Object.fromEntries(
    await Promise.all(asked.map(async ({ name, open }) => [name, await explain(open, path)])),
  );
}

function siteFor({ name, open }: Running, { certificates }: Host): Site {
  const { config, front } = open;
  return {
    name: `store.${name}`,
    listen: config.listen,
    socket: config.socket,
    hosts: config.hosts,
    tls: config.tls,
    http2: config.http2,
    http3: false,
    pipelining: true,
    handler: withChallenges((request) => front.handle(request), certificates),
    ...(front.quick !== undefined && { quick: front.quick }),
    limits: limitsOf(config.limits, config.max_body),
  };
}

async function stop(running: readonly Running[], deadline: AbortSignal): Promise<void> {
  await Promise.all(running.map(async ({ attachment }) => attachment?.close(deadline)));
  for (const { open } of running) await open.close();
}
