import type { Host } from "../service.ts";
import type { OpenStore } from "./open-store.ts";
import { hedgesOf } from "./stats.ts";

/** Metrics of one store. Answers how to end them. */
export function measure(
  name: string,
  open: OpenStore,
  { metrics, worker }: Pick<Host, "metrics" | "worker">,
): () => void {
  const { front, hints, mender, repair, shelves, usage } = open;
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
  const hedged = metrics.counter(
    "tern_store_hedged_total",
    "Reads of a block that another member was asked for too, since the first was slow.",
    { store: name },
  );
  const cached = (how: string) =>
    metrics.counter("tern_store_cache_total", "Small files looked for in memory.", {
      store: name,
      how,
    });
  const [hits, misses] = [cached("hit"), cached("miss")];
  const onDisk = (how: string) =>
    metrics.counter(
      "tern_store_disk_cache_total",
      "Blocks of members elsewhere looked for on a disk of this machine.",
      { store: name, how },
    );
  const [diskHits, diskMisses] = [onDisk("hit"), onDisk("miss")];
  const hinted = metrics.gauge(
    "tern_store_under_replicated",
    "Copies that acknowledged writes still owe, and that the last look at each partition missed.",
    { store: name },
  );
  const lost = metrics.gauge(
    "tern_store_lost",
    "Files without a whole copy, as each partition was when it was last looked at.",
    { store: name },
  );
  const verified = metrics.counter(
    "tern_store_verified_bytes_total",
    "Bytes of copies read to verify them while nobody asked for them.",
    { store: name },
  );
  const damaged = metrics.counter(
    "tern_store_damaged_total",
    "Copies whose bytes were not what was written.",
    { store: name },
  );
  // All processes would tell the same.
  const amounts =
    worker.index > 0
      ? []
      : Object.keys(usage.figures).map((prefix) => ({
          prefix,
          bytes: metrics.gauge(
            "tern_store_bytes",
            "Bytes of files below a prefix, copies not counted.",
            {
              store: name,
              prefix,
            },
          ),
          files: metrics.gauge("tern_store_files", "Files below a prefix.", {
            store: name,
            prefix,
          }),
        }));
  const seats = shelves.flatMap((shelf) =>
    shelf.seats.map((seat) => ({
      seat,
      up: metrics.gauge("tern_store_member_up", "Whether it answered when last asked: 1 or 0.", {
        store: name,
        stage: String(shelf.number),
        member: seat.id,
      }),
    })),
  );
  // The counters outlive this instance: what it has told already is not told again.
  const told = {
    reads: 0,
    writes: 0,
    deletes: 0,
    refused: 0,
    failed: 0,
    mended: 0,
    verified: 0,
    damaged: 0,
    hedged: 0,
    hits: open.cache?.figures.hits ?? 0,
    misses: open.cache?.figures.misses ?? 0,
    diskHits: open.blockCache?.figures.hits ?? 0,
    diskMisses: open.blockCache?.figures.misses ?? 0,
  };
  return metrics.onSnapshot(() => {
    const { figures } = repair;
    const now = {
      ...front.figures,
      mended: mender.mended + figures.mended,
      verified: figures.verified_bytes,
      damaged: figures.damaged,
      hedged: hedgesOf(open).hedged,
      hits: open.cache?.figures.hits ?? 0,
      misses: open.cache?.figures.misses ?? 0,
      diskHits: open.blockCache?.figures.hits ?? 0,
      diskMisses: open.blockCache?.figures.misses ?? 0,
    };
    counters.reads.add(now.reads - told.reads);
    counters.writes.add(now.writes - told.writes);
    counters.deletes.add(now.deletes - told.deletes);
    failed.add(now.failed - told.failed);
    mended.add(now.mended - told.mended);
    verified.add(now.verified - told.verified);
    damaged.add(now.damaged - told.damaged);
    hedged.add(now.hedged - told.hedged);
    hits.add(now.hits - told.hits);
    misses.add(now.misses - told.misses);
    diskHits.add(now.diskHits - told.diskHits);
    diskMisses.add(now.diskMisses - told.diskMisses);
    Object.assign(told, now);
    hinted.set(hints.durable + figures.owed);
    lost.set(figures.lost);
    for (const { prefix, bytes, files } of amounts) {
      const amount = usage.of(prefix);
      bytes.set(amount.bytes);
      files.set(amount.files);
    }
    for (const { seat, up } of seats) up.set(seat.figures().up ? 1 : 0);
  });
}
