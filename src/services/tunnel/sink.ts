import type { Block } from "../../sys/memory.ts";

/** Where plaintexts go: a device. */
export interface Sink {
  /** Memory that datagrams are to be opened into, at `next`. */
  readonly block: Block;
  readonly next: number;
  /** `length` bytes are at `next`. False: it is no packet. */
  take(length: number): "packet" | "control" | "malformed";
  /** Nothing more is at hand. */
  flush(): void;
}
