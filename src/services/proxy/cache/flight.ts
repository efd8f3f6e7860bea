import type { Entry, Name, Sent } from "./entry.ts";
import type { Filling } from "./filling.ts";

/** A response to be kept whose body is on its way. */
export interface Coming extends Name, Sent {
  /** Also for requests with Authorization. */
  readonly shared: boolean;
  readonly filling: Filling;
}

/** What came of asking a server: something for all who wait, or nothing that others may have. */
export type Landed =
  | { readonly kind: "entry"; readonly entry: Entry; readonly status: number | undefined }
  | { readonly kind: "coming"; readonly coming: Coming }
  | { readonly kind: "nothing"; readonly why: "alone" | "failed" | "late" };

/** One request to a server, and those who wait for what it brings. */
export class Flight {
  readonly landed: Promise<Landed>;
  readonly #land: (landed: Landed) => void;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** After `patience` ms nobody waits any longer; `late` is called then. */
  constructor(
    readonly place: string,
    /** When it began, in milliseconds since 1970. */
    readonly asked: number,
    patience: number,
    late: () => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<Landed>();
    this.landed = promise;
    this.#land = resolve;
    if (patience > 0)
      this.#timer = setTimeout(() => {
        resolve({ kind: "nothing", why: "late" });
        late();
      }, patience);
  }

  /** The first call counts. */
  land(landed: Landed): void {
    clearTimeout(this.#timer);
    this.#land(landed);
  }
}
