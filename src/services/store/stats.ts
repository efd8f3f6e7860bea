import type { Host } from "../service.ts";
import type { BlockCacheFigures } from "./block-cache/block-cache.ts";
import type { CacheFigures } from "./file-cache.ts";
import type { FrontFigures } from "./front.ts";
import type { OpenStore } from "./open-store.ts";
import type { PlacementKind } from "./placement/stage.ts";
import type { RepairFigures } from "./repair/repair.ts";
import type { SeatFigures } from "./seat.ts";
import type { UsageFigures } from "./usage/quotas.ts";

/** What `status`, the console and `tern store status` show of a store. */
export interface StoreStats extends FrontFigures {
  readonly mended: number;
  /** Reads of a block that another member was asked for too, and those that it was faster with. */
  readonly hedged: number;
  readonly hedges_won: number;
  /** Small files remembered in memory. */
  readonly cache?: CacheFigures;
  /** Blocks on disk that came from members elsewhere. */
  readonly disk_cache?: BlockCacheFigures;
  /** Copies that acknowledged writes still owe, and that the last look at each partition missed. */
  readonly under_replicated: number;
  /** Looking after copies while nobody asks for them. */
  readonly repair: RepairFigures;
  /** Copies to be looked at, those included. */
  readonly to_mend: number;
  /** Processes of all routers that are alive, as `node.process`; without etcd this one is alone. */
  readonly routers?: readonly string[];
  /** What is stored, by prefix: in all, and for each quota. */
  readonly usage?: UsageFigures;
  /** What is the same in all workers is told by the first. */
  readonly stage?: number;
  readonly stages?: Readonly<Record<string, StageStats>>;
}

export interface StageStats {
  readonly placement: PlacementKind;
  readonly copies: number;
  readonly write_quorum: number;
  readonly members: Readonly<Record<string, SeatFigures & { readonly drained?: true }>>;
}

/** Numbers are summed over the workers. */
export function statsOf(open: OpenStore, { worker }: Pick<Host, "worker">): StoreStats {
  const { front, hints, mender, config, repair } = open;
  const { figures } = repair;
  return {
    ...front.figures,
    mended: mender.mended + figures.mended,
    ...hedgesOf(open),
    ...(open.cache && { cache: open.cache.figures }),
    ...(open.blockCache && { disk_cache: open.blockCache.figures }),
    under_replicated: hints.durable + figures.owed,
    repair: figures,
    to_mend: hints.size,
    ...(worker.index === 0 && open.routers && { routers: open.routers.alive }),
    ...(worker.index === 0 && { usage: open.usage.figures }),
    ...(worker.index === 0 && { stage: config.stage, stages: stagesOf(open) }),
  };
}

/** Of all stages. */
export function hedgesOf({ shelves }: Pick<OpenStore, "shelves">) {
  const sum = (of: "asked" | "won"): number =>
    shelves.reduce((all, { haste }) => all + haste.figures[of], 0);
  return { hedged: sum("asked"), hedges_won: sum("won") };
}

function stagesOf({ shelves }: OpenStore): Readonly<Record<string, StageStats>> {
  const stages = shelves.map((shelf): [string, StageStats] => [
    String(shelf.number),
    {
      placement: shelf.record.placement,
      copies: shelf.copies,
      write_quorum: shelf.writeQuorum,
      members: Object.fromEntries(
        shelf.seats.map((seat) => {
          const drained = shelf.standing.out.has(seat.id) && ({ drained: true } as const);
          return [seat.id, { ...seat.figures(), ...drained }];
        }),
      ),
    },
  ]);
  return Object.fromEntries(stages);
}
