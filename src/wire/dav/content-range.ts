/** `Content-Range` of a PUT that changes part of a file (RFC 9110, 14.4 and 14.5). */
export interface ContentRange {
  /** Offset of the first byte sent. */
  readonly first: number;
  /** Offset of the last one. */
  readonly last: number;
  /** Bytes the whole is said to have; undefined for "*". */
  readonly total: number | undefined;
}

/** `bytes 0-499/1234` or `bytes 0-499/*`. Undefined for anything else: answer 400. */
export function parseContentRange(text: string): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\*|\d{1,16})$/i.exec(text.trim());
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  const total = match[3] === "*" ? undefined : Number(match[3]);
  if (!Number.isSafeInteger(last) || first > last) return undefined;
  if (total !== undefined && (!Number.isSafeInteger(total) || last >= total)) return undefined;
  return { first, last, total };
}
