/**
 * How much is stored below which prefix: counted by the walk over all partitions, and in between
 * carried on by what each process writes. Files count once, however many copies there are.
 */
import type { Amount } from "./amount.ts";
import type { UsageFigures } from "./quotas.ts";

export interface Usage {
  /** Nobody has changed anything there since it was counted. */
  isCounted(stage: number, partition: number): boolean;
  /** That is all there is in the partition, says who began to look at `began`, ms since 1970. */
  count(
    stage: number,
    partition: number,
    all: readonly { readonly path: string; readonly size: number }[],
    began: number,
  ): void;
  /**
   * A file has come, gone or changed: so much more is stored. `record`: the place of its record; `at`:
   * now, ms since 1970.
   */
  changed(stage: number, record: string, path: string, more: Amount, at: number): void;
  /** Bytes that may still be stored at `path`; Infinity: as many as there is room for. */
  room(path: string): number;
  /** What is stored below one of the prefixes. */
  of(prefix: string): Amount;
  readonly figures: UsageFigures;
}

/** A partition of a stage: "0 3a7". */
export function placeOf(stage: number, partition: number): string {
  return `${stage} ${partition.toString(16).padStart(3, "0")}`;
}

const PARTITION = /\/([0-9a-f]{3})\/[0-9a-f]+$/;

/** The partition that a record is in. */
export function placeOfRecord(stage: number, record: string): string {
  const [, digits = ""] = PARTITION.exec(record) ?? [];
  return `${stage} ${digits}`;
}
