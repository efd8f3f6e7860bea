/** Columns as wide as what is in them; numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const [heading = []] = rows;
  const widths = heading.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const numeric = heading.map((_, i) =>
    rows.slice(1).every((row) => /^[\d,.]+(?:ms|MB)?$/.test(row[i] ?? "")),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        return numeric[i] && rows.length > 1 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
