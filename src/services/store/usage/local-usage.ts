/** Usage of a router that is alone: its processes tell one another by the ledger they share. */
import { type Amount, atLeastNothing, NOTHING, plus } from "./amount.ts";
import { Ledger } from "./ledger.ts";
import { Quotas, type UsageFigures } from "./quotas.ts";
import { Untold } from "./untold.ts";
import { placeOf, placeOfRecord, type Usage } from "./usage.ts";

/** What has been written is told to the others so much later. Milliseconds. */
const TELL_MS = 500;
/** Sums are made no more often. Milliseconds. */
const FRESH_MS = 1000;

export class LocalUsage implements Usage {
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #quotas: Quotas;
  readonly #untold = new Untold();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #sums: ReadonlyMap<string, Amount> = new Map();
  #summedAt = -Infinity;

  /** `usage.sqlite` in `directory`; most bytes by prefix; `now` in milliseconds, never going back. */
  constructor(directory: string, limits: Readonly<Record<string, number>>, now: () => number) {
    this.#quotas = new Quotas(limits);
    this.#ledger = new Ledger(directory, this.#quotas.prefixes);
    this.#now = now;
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
    this.#summedAt = -Infinity;
  }

  changed(stage: number, record: string, path: string, more: Amount, at: number): void {
    if (this.#closed) return; // the walk counts it
    this.#untold.add(placeOfRecord(stage, record), this.#quotas.around(path), more, at);
    this.#timer ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  room(path: string): number {
    return this.#quotas.room(path, (prefix) => this.of(prefix));
  }

  of(prefix: string): Amount {
    if (this.#now() - this.#summedAt >= FRESH_MS) {
      this.#summedAt = this.#now();
      this.#sums = this.#ledger.sums() ?? this.#sums; // what was known is nearly right
    }
    return atLeastNothing(plus(this.#sums.get(prefix) ?? NOTHING, this.#untold.of(prefix)));
  }

  get figures(): UsageFigures {
    return this.#quotas.figures((prefix) => this.of(prefix));
  }

  close(): void {
    if (this.#timer !== undefined) this.#tell();
    clearTimeout(this.#timer);
    this.#closed = true;
    this.#ledger.close();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#ledger.change(this.#untold.changes)) {
      this.#timer = setTimeout(() => this.#tell(), TELL_MS);
      return;
    }
    this.#untold.take(Infinity);
    this.#summedAt = -Infinity;
  }
}
