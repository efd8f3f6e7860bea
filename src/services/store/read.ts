/** Find a name and have its bytes ready, or say why not. */
import type { Readable } from "./copy-reader.ts";
import { lookUp } from "./expiry.ts";
import type { Name } from "./names.ts";
import type { DeletedVersion } from "./record.ts";
import type { Shelf } from "./shelf.ts";
import { Unreadable, Verified } from "./verified.ts";

/** What became of a search for something to read. */
export type Opened =
  | { readonly kind: "open"; readonly body: Verified }
  /** Nothing is there, and never was. */
  | { readonly kind: "absent" }
  | { readonly kind: "deleted"; readonly version: DeletedVersion }
  /** Too few members can be reached to say, or all copies are damaged. */
  | { readonly kind: "unsure"; readonly why: string };

/** A name that is being written again and again is looked for so often. */
const MAX_TRIES = 5;

/**
 * The newest version, with the block at `offsetOf(version)` verified and ready; undefined: no bytes
 * are wanted. Close the body when it is over.
 */
export async function openToRead(
  shelf: Shelf,
  name: Name,
  offsetOf: (version: Readable) => number | undefined,
): Promise<Opened> {
  let why = "";
  for (let tries = 0, thorough = false; tries < MAX_TRIES; tries++) {
    const found = await lookUp(shelf, name, thorough ? { all: true, thorough } : {});
    if (found.kind !== "found") return found;
    const { version } = found;
    if (version.kind === "deleted") return { kind: "deleted", version };
    const body = new Verified(shelf, name, version, [...found.seats]);
    try {
      const offset = offsetOf(version);
      if (offset !== undefined) await body.prepare(offset);
      return { kind: "open", body };
    } catch (error) {
      body.close();
      if (!(error instanceof Unreadable)) throw error;
      why = error.message;
      // Others may have it, who were not asked; then all are.
      if (error.kind === "broken" && (thorough || !found.more)) break;
      thorough ||= error.kind !== "moved";
    }
  }
  return { kind: "unsure", why };
}
