import type { Entry, Name, Sent } from "./entry.ts";
import type { Filling } from "./filling.ts";

/** A response to be kept whose body is on its way. */
export interface Coming extends Name, Sent {
  /** Also for requests with Authorization. */
  readonly shared: boolean;
  /** It will be, as far as is known. */
  readonly stored: boolean;
  readonly filling: Filling;
}

/** What came of asking a server: something for all who wait, or nothing that others may have. */
export type Landed =
  | { readonly kind: "entry"; readonly entry: Entry; readonly status: number | undefined }
  | { readonly kind: "coming"; readonly coming: Coming }
  | { readonly kind: "nothing"; readonly why: "alone" | "failed" | "late" };

/** One request to a server, and those who wait for what it brings. */
export class Flight {
  readonly place: string;
  /** Nobody waits for it yet: whoever was the cause of it has an answer. */
  readonly behind: boolean;
  /** Other workers are told that it is under way. */
  locked = false;
  readonly #landed = Promise.withResolvers<Landed>();
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(place: string, behind = false) {
    this.place = place;
    this.behind = behind;
  }

  /** What it brings; nothing when it takes `patience` ms more. `late` is called then. */
  wait(patience: number, late: () => void): Promise<Landed> {
    if (!this.#over)
      this.#timer ??= setTimeout(() => {
        late();
        this.land({ kind: "nothing", why: "late" });
      }, patience);
    return this.#landed.promise;
  }

  /** The first call counts. */
  land(landed: Landed): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#landed.resolve(landed);
  }
}
