import type { Address } from "../core/address.ts";
import type { Entry } from "../observe/journal.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import type { Carried } from "./running-text.ts";

/** A listening socket that an old process hands to a new one; descriptors come in this order. */
export interface HandedSocket {
  readonly address: Address;
  readonly slot?: number;
  /** Whose it is, of several with port 0. */
  readonly owner?: string;
  /** UDP. */
  readonly datagram?: boolean;
  /** Its maker keeps the unix path. */
  readonly lent?: boolean;
}

/** What the new process asks of the one it replaces. */
export type ToOld = {
  /** The memory in which workers count; its descriptor, if any, was sent before the answer. */
  tallies: { ask: null; answer: { readonly count: number } };
  /** Every listening socket. The descriptors were sent before the answer. */
  sockets: { ask: null; answer: readonly HandedSocket[] };
  /** The config that runs, with what is not in the file. */
  carried: { ask: null; answer: Carried };
  /** Where its clients are. */
  stuck: { ask: null; answer: readonly Stuck[] };
  /** The last things that happened. */
  journal: { ask: null; answer: readonly Entry[] };
  /** It serves; the old one leaves. */
  ready: { ask: null; answer: null };
  /** It cannot, for this reason, and ends; the old one goes on. */
  failed: { ask: { why: string }; answer: null };
};

/** The old one asks nothing. */
export type ToNew = Record<never, never>;

/** Tells a new process that it replaces another, on which descriptor the sockets come. */
export const HANDOVER_VARIABLE = "TERN_HANDOVER";
export const HANDOVER_FD = 3;
/** Descriptors in one message. */
export const BATCH = 64;
