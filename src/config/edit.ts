import type { KeyPath } from "./key-path.ts";

/** Plain JSON, as YAML writes it: what stands in the file, before any schema has read it. */
export type Plain =
  string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** One change of a config's text. Comments and everything around it stay as they are. */
export type Edit =
  /** Put a value there; maps on the way are made. */
  | { readonly kind: "set"; readonly path: KeyPath; readonly value: Plain }
  /** Take a key or an item away. Nothing happens when it is not there. */
  | { readonly kind: "remove"; readonly path: KeyPath }
  /** Put one more item at the end of a list; the list is made when there is none. */
  | { readonly kind: "append"; readonly path: KeyPath; readonly value: Plain };

/** A config as it is written, for those who want to change it. */
export interface Written {
  /** Undefined when nothing stands there. */
  at(path: KeyPath): Plain | undefined;
}
