/** Field lines copied as they came, without those that go no further. */
import { COLON, CR, HT, latin1, SP } from "./characters.ts";
import type { FieldBlock } from "./field-block.ts";
import type { FieldTable } from "./field-table.ts";

/** Copies runs of bytes from one array to another. */
export interface RunCopier {
  copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void;
}

/**
 * Have the lines of `block` copied to `into` from `at` on, but not those whose number's bit is in
 * `dropped` nor those named in `also`. Answers where they end, or -1 when there is no room.
 */
export function copyLines(
  block: FieldBlock,
  dropped: number,
  also: FieldTable | undefined,
  into: Uint8Array,
  at: number,
  copier: RunCopier,
): number {
  const { bytes, fields, nameStart, nameEnd, number, hashes } = block;
  let end = at;
  let from = -1; // of a run of lines that are kept
  for (let i = 0; i <= fields; i++) {
    const last = i === fields;
    const known = last ? -1 : number[i]!;
    const kept =
      !last &&
      (known < 0 || (dropped & (1 << known)) === 0) &&
      (also === undefined || also.find(bytes, nameStart[i]!, nameEnd[i]!, hashes[i]!) < 0);
    if (kept) {
      if (from < 0) from = nameStart[i]!;
      continue;
    }
    if (from < 0) continue;
    const to = last ? block.linesEnd : nameStart[i]!;
    if (end + to - from > into.length) return -1;
    copier.copy(bytes, from, into, end, to - from);
    end += to - from;
    from = -1;
  }
  return end;
}

/** Where names and values are in lines that a strict reader took: from, to, from, to of each field. */
export function spansIn(lines: Uint8Array): Int32Array {
  let count = 0;
  for (let at = 0; at < lines.length; at++) if (lines[at] === CR) count++;
  const spans = new Int32Array(count * 4);
  for (let at = 0, i = 0; at < lines.length; i += 4) {
    spans[i] = at;
    while (lines[at] !== COLON) at++;
    spans[i + 1] = at++;
    while (lines[at] === SP || lines[at] === HT) at++;
    spans[i + 2] = at;
    while (lines[at] !== CR) at++;
    let end = at;
    while (end > spans[i + 2]! && (lines[end - 1] === SP || lines[end - 1] === HT)) end--;
    spans[i + 3] = end;
    at += 2;
  }
  return spans;
}

/** Such lines as names and values. */
export function fieldsIn(lines: Uint8Array): [name: string, value: string][] {
  const spans = spansIn(lines);
  const fields: [string, string][] = [];
  for (let i = 0; i < spans.length; i += 4)
    fields.push([
      latin1(lines, spans[i]!, spans[i + 1]!),
      latin1(lines, spans[i + 2]!, spans[i + 3]!),
    ]);
  return fields;
}
