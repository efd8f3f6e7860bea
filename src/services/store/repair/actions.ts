/** What an operator may ask of the copies: by `tern store`, the admin API and the console. */
import * as v from "valibot";

import type { Action, Instance } from "../../service.ts";
import { type Job, type Wish, wish } from "./job.ts";
import type { Repair } from "./repair.ts";

export interface Repaired {
  readonly name: string;
  readonly repair: Repair;
}

/** Jobs by store; of the process that does them. */
export type Jobs = Readonly<Record<string, Job>>;

interface Which {
  readonly store?: string | undefined;
}

const which = v.strictObject({ store: v.optional(v.string()) });

/** `works`: this process does it; the others have nothing to say. */
export function repairActions(
  stores: readonly Repaired[],
  works: boolean,
): NonNullable<Instance["actions"]> {
  const asked = ({ store }: Which): readonly Repaired[] => {
    const found = stores.filter(({ name }) => store === undefined || name === store);
    if (found.length === 0) throw new Error(`there is no store "${store}"`);
    return works ? found : [];
  };
  const repair: Action<Wish & Which> = {
    about:
      "verify all copies (fsck), rebuild a member (replace), empty one (drain), tidy (rebalance)",
    input: v.strictObject({ ...wish.entries, store: v.optional(v.string()) }),
    async run({ store, ...wanted }) {
      if (store === undefined && stores.length > 1) throw new Error("say which store");
      const begun: Record<string, Job> = {};
      for (const one of asked({ store })) begun[one.name] = await one.repair.begin(wanted);
      return begun;
    },
  };
  const repairs: Action<Which> = {
    about: "how far repairs are, and how the last ones ended",
    input: which,
    run: async (input) => jobsOf(asked(input)),
  };
  const stop: Action<Which> = {
    about: "stop the repair that is running; what it has done stays",
    input: which,
    async run(input) {
      const found = asked(input);
      for (const one of found) await one.repair.stopJob();
      return jobsOf(found);
    },
  };
  return { repair, repairs, "stop-repair": stop };
}

function jobsOf(stores: readonly Repaired[]): Jobs {
  return Object.fromEntries(
    stores.flatMap(({ name, repair: { job } }) => (job === undefined ? [] : [[name, job]])),
  );
}
