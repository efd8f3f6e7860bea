/** Who may change files: addresses, ranges and networks, or users by name. */
import { type Cidr, compileAccess, parseCidr } from "../../core/cidr.ts";
import { rangeBlocks } from "../../core/ranges.ts";

export interface Writers {
  readonly address: (address: string) => boolean;
  readonly users: ReadonlySet<string>;
}

/** Is this one of the `users`, or else something that addresses can be in? */
export function isWriter(writer: string, users: readonly string[]): boolean {
  return users.includes(writer) || blocksOf(writer) !== undefined;
}

/** What is neither counts for nobody: the schema has refused it. */
export function compileWriters(writers: readonly string[], users: readonly string[]): Writers {
  return {
    address: compileAccess(writers.flatMap((writer) => blocksOf(writer) ?? [])),
    users: new Set(writers.filter((writer) => users.includes(writer))),
  };
}

function blocksOf(text: string): Cidr[] | undefined {
  const one = parseCidr(text);
  return one ? [one] : rangeBlocks(text);
}
