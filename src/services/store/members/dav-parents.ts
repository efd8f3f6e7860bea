/** Collections that are known to be on a server. */

/** More are asked for anew. */
const MAX_KNOWN = 10_000;

export class DavParents {
  readonly #make: (collection: string) => Promise<void>;
  readonly #known = new Set<string>();

  /** `make` has the server make one; what is there already is no error. */
  constructor(make: (collection: string) => Promise<void>) {
    this.#make = make;
  }

  /** Make the collections above `at`. `anew`: those known to be there are not. */
  async ensure(at: string, anew = false): Promise<void> {
    if (anew) this.forget(at);
    for (const parent of parentsOf(at)) {
      if (this.#known.has(parent)) continue;
      await this.#make(parent);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.add(parent);
    }
  }

  /** Those above `at` are not there. */
  forget(at: string): void {
    for (const parent of parentsOf(at)) this.#known.delete(parent);
  }
}

/** The highest first. */
function parentsOf(at: string): string[] {
  const steps = at.split("/").slice(1, -1);
  return steps.map((_, i) => `/${steps.slice(0, i + 1).join("/")}`);
}
