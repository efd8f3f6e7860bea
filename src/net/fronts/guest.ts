/** A connection as its front keeps it: opening, shaking hands, in session or relayed. */
export interface Guest {
  /** When `late` is due, in the reactor's time. */
  readonly deadline: number;
  /** Last time it did anything worth waiting for. */
  readonly idleSince: number;
  late(): void;
  /** The front drains: leave unless something is in hand. */
  leaveIfIdle(): void;
  /** Leave at once. */
  broken(): void;
}
