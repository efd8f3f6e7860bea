import type { Closable } from "../../../core/lease.ts";
import type { Refresher } from "./refresher.ts";
import type { SecondaryZone } from "./secondary-zone.ts";

/** A zone of others and, in the one process that has it, what fetches it. Leased: it outlives a reload. */
export class Secondary implements Closable {
  readonly zone: SecondaryZone;
  readonly refresher: Refresher | undefined;
  /** The serial that other servers were told of. */
  announced: number | undefined;

  constructor(zone: SecondaryZone, refresher: Refresher | undefined) {
    this.zone = zone;
    this.refresher = refresher;
    this.announced = zone.zone?.serial; // what was kept is no news
  }

  /** Follow and fetch, from now until it is closed. */
  begin(): void {
    this.zone.watch();
    this.refresher?.begin();
  }

  async close(): Promise<void> {
    await this.zone.close();
    await this.refresher?.close();
  }
}
