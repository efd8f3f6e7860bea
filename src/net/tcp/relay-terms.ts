/** Why a relayed connection ended: who was the first to. */
export type RelayEnd =
  /** Sent its FIN first; both directions then came to their end. */
  | "client"
  | "server"
  /** Broke it off (RST); the other side got one, too. */
  | "client reset"
  | "server reset"
  /** Nothing went for too long. */
  | "idle"
  /** It was as old as it may get. */
  | "total"
  /** By an operator, or at the end of a drain. */
  | "killed"
  | "stopped";

/** Whose connection it is. */
export interface RelayOwner {
  /** So many more bytes went, from the client and from the server: told twice a second, and before the end. */
  moved(up: number, down: number): void;
  /** It is over, both sockets are closed. */
  over(why: RelayEnd): void;
}

/** How the bytes of a pair go. */
export const RELAY_WAYS = ["auto", "splice", "copy", "sockmap"] as const;
export type RelayWay = (typeof RELAY_WAYS)[number];

export interface RelayRules {
  /** sockmap: from the beginning; where there is none, it is copy and splice. */
  readonly way: RelayWay;
  /** Milliseconds without a byte; Infinity for any. */
  readonly idle: number;
  /** When it ends whatever happens, in the reactor's time; Infinity for never. */
  readonly deadline: number;
}
