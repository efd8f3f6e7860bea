import type { Field } from "../../../../wire/http/caching/field-list.ts";
import { parseContentRange, type PartOf } from "../../../../wire/http/content-range.ts";
import type { HttpResponse } from "../../../../wire/http/message.ts";

/** A response that is kept in parts: what is stored of it under its own name has no body. */
export interface Sliced {
  /** Bytes of each part but the last, and of all. */
  readonly size: number;
  readonly total: number;
  /** The strong tag that all its parts have. */
  readonly etag: string;
}

/** What of a 206 can be put together with others. */
export interface Part extends PartOf {
  readonly etag: string;
}

/** Among the fields of a stored response; no field that comes from a server has a space in its name. */
const NAME = "slices of";
/** The tag is part of the names of slices. */
const LONGEST_TAG = 200;

export function slicedField({ size, total }: Sliced): Field {
  return [NAME, `${size}/${total}`];
}

/** Of a stored response with these fields; undefined when it is stored as a whole. */
export function slicedOf(fields: ReadonlyMap<string, string>): Sliced | undefined {
  const [, size, total] = /^(\d{1,15})\/(\d{1,15})$/.exec(fields.get(NAME) ?? "") ?? [];
  const etag = fields.get("etag");
  if (size === undefined || etag === undefined) return undefined;
  return { size: Number(size), total: Number(total), etag };
}

/** What clients and servers get of stored fields. */
export function withoutSliced(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => name !== NAME);
}

/** Undefined when its parts must not be put together: RFC 9110, 15.3.7.3. */
export function partIn(
  { status, named }: HttpResponse,
  fields: ReadonlyMap<string, string>,
): Part | undefined {
  if (status !== 206 || named !== true) return undefined;
  const part = parseContentRange(fields.get("content-range") ?? "");
  const etag = fields.get("etag");
  if (part === undefined || etag === undefined || etag.length > LONGEST_TAG) return undefined;
  return /^"[^"]*"$/.test(etag) ? { ...part, etag } : undefined;
}

/** The fields of the whole, of those of a part. */
export function fieldsOfWhole(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !/^content-(range|length)$/i.test(name));
}

/** What a server is asked for: slice `index`, and all of it must be of the same whole. */
export function rangeField(size: number, index: number): Field {
  return ["Range", `bytes=${index * size}-${(index + 1) * size - 1}`];
}
