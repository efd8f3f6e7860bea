import * as v from "valibot";

import type { Service } from "../../src/services/service.ts";

export interface DiaryConfig {
  /** False: it cannot be prepared. */
  readonly ok?: boolean;
  /** Makes one config another. */
  readonly take?: number;
}

/** A service that writes down what is done to it. */
export function diary(name: string, lines: string[]): Service<DiaryConfig> {
  return {
    name,
    about: "writes a diary",
    schema: v.object({ ok: v.optional(v.boolean(), true), take: v.optional(v.number(), 1) }),
    async prepare({ ok = true, take = 1 }) {
      if (!ok) throw new Error(`bind 127.0.0.1:80: EADDRINUSE`);
      const me = `${name}${take}`;
      lines.push(`${me} prepared`);
      return {
        start: () => void lines.push(`${me} started`),
        stats: () => ({ take }),
        stop: async (deadline) => void lines.push(`${me} stopped${deadline.aborted ? " now" : ""}`),
        actions: {
          add: {
            about: "add to the take",
            input: v.strictObject({ n: v.number() }),
            run: async ({ n }: { n: number }) => take + n,
          },
        },
      };
    },
  };
}
