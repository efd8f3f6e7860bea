import type { RequestField } from "../../../wire/http/caching/vary.ts";
import { Bans } from "./bans.ts";
import type { Entry } from "./entry.ts";
import { Fork, type Memory } from "./memory.ts";

/** Where stored responses are: found, kept, dead. */
export class Store {
  readonly memory: Memory;
  readonly bans: Bans;

  constructor(memory: Memory, bans: Bans) {
    this.memory = memory;
    this.bans = bans;
  }

  /** The response for a request; "variant" when there are only others of its URL. */
  find(key: string, field: RequestField): Entry | "variant" | undefined {
    const found = this.memory.find(key, field);
    if (found === undefined || found instanceof Fork) return found && "variant";
    if (!this.bans.isDead(found)) return found;
    this.memory.drop(found);
    return undefined;
  }

  /** Request fields that the responses of a URL vary by, as far as known. */
  namesOf(key: string): readonly string[] {
    return this.memory.namesOf(key);
  }

  /** Keep it. False when it was purged while it came, or there is no room. */
  put(entry: Entry): boolean {
    return !this.bans.isDead(entry) && this.memory.put(entry);
  }

  /** It must not be used any more. */
  drop(entry: Entry): void {
    this.memory.drop(entry);
  }
}
