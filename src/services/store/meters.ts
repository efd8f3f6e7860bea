import type { Host } from "../service.ts";
import type { FrontFigures } from "./front.ts";
import type { OpenStore } from "./open-store.ts";

/** Metrics of one store. Answers how to end them. */
export function measure(
  name: string,
  open: OpenStore,
  { metrics }: Pick<Host, "metrics">,
): () => void {
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
      up: metrics.gauge("tern_store_member_up", "Whether it answered when last asked: 1 or 0.", {
        store: name,
        stage: String(shelf.number),
        member: seat.id,
      }),
    })),
  );
  // The counters outlive this instance: what it has told already is not told again.
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
}
