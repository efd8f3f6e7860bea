/**
 * Usage of one router of several. Each process tells its changes in etcd; everybody adds what is told to
 * what was counted, and the one that looks after copies takes it into its ledger and counts anew.
 *
 *     /tern/store/NAME/usage/counted           sums, and what is in them
 *     /tern/store/NAME/usage/told/NODE.PID     what is not, for each process
 */
import type { Clock } from "../../../core/clock.ts";
import type { Entry, Etcd } from "../../../net/cluster/etcd.ts";
import { type Amount, atLeastNothing, NOTHING, plus } from "./amount.ts";
import { Ledger } from "./ledger.ts";
import { Quotas, type UsageFigures } from "./quotas.ts";
import { Untold } from "./untold.ts";
import {
  type Counted,
  emitCounted,
  emitLog,
  parseCounted,
  parseLog,
  type Told,
  withChanges,
} from "./usage-log.ts";
import { placeOf, placeOfRecord, type Usage } from "./usage.ts";

/** How often it is told, and looked what others tell. Milliseconds. */
const EVERY_MS = 2000;
/** Places in one batch, and batches that nobody has folded: some hundred KiB together. */
const MOST_PLACES = 1024;
const MOST_BATCHES = 8;
/** Processes without a log whose last batch is remembered: they may be alive, and tell it again. */
const MOST_GONE = 64;

/** This process among those of all routers. */
export interface Among {
  readonly etcd: Pick<Etcd, "list" | "put" | "remove" | "swap">;
  /** Where the store's keys begin. */
  readonly base: string;
  /** Its name. */
  readonly self: string;
  /** Is this the process that looks after copies? */
  readonly repairs: boolean;
  /** Processes that are alive. */
  readonly alive: readonly string[];
}

export interface SharedUsageParts {
  readonly directory: string;
  /** Most bytes by prefix: the same for all routers. */
  readonly limits: Readonly<Record<string, number>>;
  readonly among: Among;
  /** Partitions of all stages. */
  readonly places: number;
  readonly clock: Pick<Clock, "sleep">;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** What others have told. */
interface Log {
  readonly entry: Entry;
  readonly batches: readonly Told[];
}

export class SharedUsage implements Usage {
  readonly #parts: SharedUsageParts;
  readonly #quotas: Quotas;
  readonly #ledger: Ledger;
  readonly #untold = new Untold();
  /** Told, or about to be; in nobody's count. */
  #own: Told[] = [];
  #seq = 0;
  /** What was counted, and what all have told. */
  #sums: ReadonlyMap<string, Amount> = new Map();
  /** Since we look after copies: ms since 1970, and whether all places have been counted. */
  #tenure: { readonly began: number; whole: boolean } | undefined;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: SharedUsageParts) {
    this.#parts = parts;
    this.#quotas = new Quotas(parts.limits);
    this.#ledger = new Ledger(parts.directory, this.#quotas.prefixes);
  }

  isCounted(stage: number, partition: number): boolean {
    return this.#ledger.isCounted(placeOf(stage, partition));
  }

  count(
    stage: number,
    partition: number,
    all: readonly { readonly path: string; readonly size: number }[],
    began: number,
  ): void {
    this.#ledger.count(placeOf(stage, partition), all, began);
  }

  changed(stage: number, record: string, path: string, more: Amount, at: number): void {
    this.#untold.add(placeOfRecord(stage, record), this.#quotas.around(path), more, at);
  }

  room(path: string): number {
    return this.#quotas.room(path, (prefix) => this.of(prefix));
  }

  of(prefix: string): Amount {
    return atLeastNothing(plus(this.#sums.get(prefix) ?? NOTHING, this.#untold.of(prefix)));
  }

  get figures(): UsageFigures {
    return this.#quotas.figures((prefix) => this.of(prefix));
  }

  /** Begin to tell and to hear. What etcd does not say now it says later. */
  async open(): Promise<void> {
    await this.turn().catch(() => {});
    this.#running = this.#live();
  }

  /** What is not told yet is told. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    if (!this.#untold.isEmpty) await this.turn(true).catch(() => {}); // the walk counts it
    this.#ledger.close();
  }

  /** Hear, tell, and count where that is ours to do. `last`: tell all. Rejects when etcd does not answer. */
  async turn(last = false): Promise<void> {
    const { etcd, base, self, repairs } = this.#parts.among;
    const entries = await etcd.list(`${base}/usage/`);
    const entry = entries.find(({ key }) => key === `${base}/usage/counted`);
    const counted = entry && parseCounted(entry.value);
    const logs = logsOf(`${base}/usage/told/`, entries);
    const folded = counted?.folded ?? new Map<string, number>();

    this.#own = unfolded(this.#own, folded.get(self));
    const others = [...logs].flatMap(([process, { batches }]) =>
      process === self ? [] : unfolded(batches, folded.get(process)),
    );
    while (!this.#untold.isEmpty && (last || this.#own.length < MOST_BATCHES))
      this.#own.push({ seq: ++this.#seq, changes: this.#untold.take(MOST_PLACES) });
    this.#sums = withChanges(counted?.sums ?? new Map(), [...others, ...this.#own]);

    await this.#tell(logs.get(self));
    if (repairs) await this.#count(entry, counted, logs);
  }

  async #tell(known: Log | undefined): Promise<void> {
    const { etcd, base, self } = this.#parts.among;
    const text = emitLog(this.#own);
    if (text !== (known?.entry.value ?? emitLog([])))
      await etcd.put(`${base}/usage/told/${self}`, text);
  }

  async #count(
    entry: Entry | undefined,
    counted: Counted | undefined,
    logs: ReadonlyMap<string, Log>,
  ): Promise<void> {
    const { among, wall, places } = this.#parts;
    const { etcd, base, self, alive } = among;
    const key = `${base}/usage/counted`;
    const publish = async (next: Counted): Promise<void> => {
      const text = emitCounted(next);
      if (text !== entry?.value) await etcd.swap(key, entry?.revision ?? 0, text);
    };
    if (counted === undefined) {
      // What this machine knew when it was alone.
      const sums = this.#ledger.sums();
      if (sums) await publish({ by: "", sums, folded: new Map() });
      return;
    }
    if (counted.by !== self) {
      if (!this.#ledger.doubt()) return;
      this.#tenure = { began: wall(), whole: false };
    }
    const open = [...logs].flatMap(([process, { batches }]) =>
      unfolded(batches, counted.folded.get(process)).map((one) => ({ ...one, process })),
    );
    const folded = foldedWith(counted.folded, logs);
    if (!this.#ledger.fold(open, [...folded.keys()])) return;
    if (this.#tenure?.whole === false)
      this.#tenure.whole = this.#ledger.countedSince(this.#tenure.began) >= places;
    // Until all has been counted, what was known before is carried on.
    const sums =
      this.#tenure?.whole === true ? this.#ledger.sums() : withChanges(counted.sums, open);
    if (sums === undefined) return;
    await publish({ by: self, sums, folded });
    if (alive.length === 0) return; // nobody knows who is
    for (const [process, { entry: told, batches }] of logs)
      if (!alive.includes(process) && unfolded(batches, counted.folded.get(process)).length === 0)
        await etcd.remove(told.key, told.revision);
  }

  async #live(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#ending;
    for (;;) {
      await clock.sleep(EVERY_MS, signal).catch(() => {}); // told to end
      if (signal.aborted) return;
      await this.turn().catch(() => {}); // whoever keeps the lease tells that etcd is away
    }
  }
}

function logsOf(prefix: string, entries: readonly Entry[]): Map<string, Log> {
  return new Map(
    entries
      .filter(({ key }) => key.startsWith(prefix))
      .map((entry) => [entry.key.slice(prefix.length), { entry, batches: parseLog(entry.value) }]),
  );
}

/** `before`, and what there is of each log; of those that are gone, the latest. */
function foldedWith(
  before: ReadonlyMap<string, number>,
  logs: ReadonlyMap<string, Log>,
): Map<string, number> {
  const gone = [...before].filter(([process]) => !logs.has(process)).slice(-MOST_GONE);
  const there = [...logs].map(([process, { batches }]): [string, number] => [
    process,
    Math.max(before.get(process) ?? 0, batches.at(-1)?.seq ?? 0),
  ]);
  return new Map([...gone, ...there]);
}

function unfolded(batches: readonly Told[], folded = 0): Told[] {
  return batches.filter(({ seq }) => seq > folded);
}
