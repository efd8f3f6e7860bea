/** Files over many servers: the only file here that attaches to listeners. */
import * as v from "valibot";

import type { Attachment, Site } from "../../net/http-fronts.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import type { Host, Instance, Listen, Service } from "../service.ts";
import { storeSchema, type StoreSection } from "./config.ts";
import type { FrontFigures } from "./front.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { explain, type Explained } from "./where.ts";

/** Copies of files on directories and servers, found by arithmetic. */
export const store: Service<StoreSection> = {
  name: "store",
  about: "files over many servers and disks, with copies, found by arithmetic",
  schema: storeSchema,
  prepare,
  listens,
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
  const forget = measure(running, host);
  return {
    start() {
      for (const { attachment, open, name } of running) {
        attachment?.open();
        open.mender.start();
        if (host.worker.index > 0) continue;
        open
          .remember()
          .catch((error: unknown) =>
            host.log.error("the stages cannot be written down", { store: name, error }),
          );
      }
    },
    stats: () => Object.fromEntries(running.map((one) => [one.name, statsOf(one, host)])),
    async stop(deadline) {
      forget();
      await stop(running, deadline);
    },
    actions: {
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

function listens(config: StoreSection): Listen[] {
  return Object.entries(config).flatMap(([name, { listen }]) =>
    listen.map((address, i) => ({
      path: ["store", name, "listen", i],
      address,
      protocol: "tcp" as const,
      http: true,
    })),
  );
}

function siteFor({ name, open }: Running, { certificates }: Host): Site {
  const { config, front } = open;
  const { limits } = config;
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
    limits: {
      maxHead: limits.head,
      maxBody: config.max_body,
      headTimeout: limits.head_timeout,
      bodyTimeout: limits.body_timeout,
      keepAlive: limits.keep_alive,
    },
  };
}

async function stop(running: readonly Running[], deadline: AbortSignal): Promise<void> {
  await Promise.all(running.map(async ({ attachment }) => attachment?.close(deadline)));
  for (const { open } of running) await open.close();
}

/** What is counted is summed over the workers; what is the same in all of them is told by the first. */
function statsOf({ open }: Running, { worker }: Host): Record<string, unknown> {
  const { front, hints, mender, shelves, config } = open;
  return {
    ...front.figures,
    mended: mender.mended,
    under_replicated: hints.durable,
    to_mend: hints.size,
    ...(worker.index === 0 && {
      stage: config.stage,
      stages: Object.fromEntries(
        shelves.map((shelf) => [
          String(shelf.number),
          {
            placement: shelf.record.placement,
            copies: shelf.copies,
            write_quorum: shelf.writeQuorum,
            members: Object.fromEntries(shelf.seats.map((seat) => [seat.id, seat.figures()])),
          },
        ]),
      ),
    }),
  };
}

/** Metrics of what is cheaper to read than to keep. */
function measure(running: readonly Running[], { metrics }: Host): () => void {
  const forget = running.map(({ name, open }) => {
    const { front, hints, mender, shelves } = open;
    const requests = (what: string) =>
      metrics.counter("tern_store_requests_total", "Requests for files, by what they ask for.", {
        store: name,
        what,
      });
    const counters = {
      reads: requests("read"),
      writes: requests("write"),
      deletes: requests("delete"),
    };
    const failed = metrics.counter(
      "tern_store_failed_total",
      "Requests answered 503 or 507: too few members.",
      { store: name },
    );
    const mended = metrics.counter("tern_store_mended_total", "Copies made whole again.", {
      store: name,
    });
    const hinted = metrics.gauge(
      "tern_store_under_replicated",
      "Copies that acknowledged writes still owe.",
      { store: name },
    );
    const seats = shelves.flatMap((shelf) =>
      shelf.seats.map((seat) => ({
        seat,
        up: metrics.gauge("tern_store_member_up", "1: it answered when last asked.", {
          store: name,
          stage: String(shelf.number),
          member: seat.id,
        }),
      })),
    );
    const told: FrontFigures & { mended: number } = {
      reads: 0,
      writes: 0,
      deletes: 0,
      refused: 0,
      failed: 0,
      mended: 0,
    };
    return metrics.onSnapshot(() => {
      const now = { ...front.figures, mended: mender.mended };
      counters.reads.add(now.reads - told.reads);
      counters.writes.add(now.writes - told.writes);
      counters.deletes.add(now.deletes - told.deletes);
      failed.add(now.failed - told.failed);
      mended.add(now.mended - told.mended);
      Object.assign(told, now);
      hinted.set(hints.durable);
      for (const { seat, up } of seats) up.set(seat.figures().up ? 1 : 0);
    });
  });
  return () => forget.forEach((one) => one());
}
