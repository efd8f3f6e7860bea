import type { GenericSchema } from "valibot";

import type { KeyPath } from "./key-path.ts";

/** Kinds of schema that want a map; valibot lets a list pass for one. */
const MAPS = new Set(["strict_object", "object", "record"]);

/** Where there is a list and the schema wants nothing but a map. */
export function listsForMaps(schema: GenericSchema, input: unknown, path: KeyPath = []): KeyPath[] {
  if (typeof input !== "object" || input === null) return [];
  const shapes = branches(schema as Shape);
  if (Array.isArray(input) && shapes.every(({ type }) => MAPS.has(type))) return [path];
  const items = Array.isArray(input) ? [...input.entries()] : Object.entries(input);
  return items.flatMap(([key, value]) => {
    const below = shapes.flatMap((shape) => child(shape, key));
    return below.length === 1 && below[0]
      ? listsForMaps(below[0] as never, value, [...path, key])
      : [];
  });
}

/** Keys that the map at `path` may have, by the schema; several branches are taken together. */
export function keysAt(schema: GenericSchema, path: KeyPath): string[] {
  let here: readonly Shape[] = [schema as Shape];
  for (const key of path) here = here.flatMap(branches).flatMap((shape) => child(shape, key));
  return here.flatMap(branches).flatMap((shape) => Object.keys(shape.entries ?? {}));
}

/** What schemas have in common, seen from outside; each kind has a few of these. */
interface Shape {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly wrapped?: Shape;
  readonly options?: readonly unknown[];
  readonly value?: Shape;
  readonly item?: Shape;
}

/** Without optional and the like, and each branch of a union on its own. */
function branches(shape: Shape): readonly Shape[] {
  if (shape.wrapped) return branches(shape.wrapped);
  const shapes = (shape.options ?? []).filter(isShape);
  return shapes.length > 0 ? shapes.flatMap(branches) : [shape];
}

function child(shape: Shape, key: string | number): readonly Shape[] {
  const found = shape.entries?.[String(key)] ?? shape.value ?? shape.item;
  return found ? [found] : [];
}

/** The options of a picklist are plain words. */
function isShape(option: unknown): option is Shape {
  return typeof option === "object" && option !== null && "type" in option;
}
