/** Content-Range of a 206 (RFC 9110, 14.4). */
export interface PartOf {
  /** Bytes [from, to) of `total`. */
  readonly from: number;
  readonly to: number;
  readonly total: number;
}

/** Read it. Undefined: malformed, of another unit, or of a whole whose length is not known. */
export function parseContentRange(value: string): PartOf | undefined {
  const [, first, last, all] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(value.trim()) ?? [];
  if (first === undefined) return undefined;
  const part = { from: Number(first), to: Number(last) + 1, total: Number(all) };
  return part.from < part.to && part.to <= part.total ? part : undefined;
}
