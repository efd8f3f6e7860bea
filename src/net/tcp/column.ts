/** A number for each file descriptor: they are small, and used again. */
export type Column = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Rows a column has at first: grown by doubling. */
export const FIRST_ROWS = 1024;

/** `column` with at least `rows` rows; the new ones are 0. */
export function grown<C extends Column>(column: C, rows: number): C {
  const wider = new (column.constructor as new (length: number) => C)(rows);
  wider.set(column);
  return wider;
}

/** How many rows a table of `rows` is to have so that `row` is one of them. */
export function rowsFor(row: number, rows: number): number {
  let wanted = rows;
  while (wanted <= row) wanted *= 2;
  return wanted;
}
