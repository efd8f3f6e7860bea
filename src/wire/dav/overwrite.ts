/** The `Overwrite` header (RFC 4918, 10.6). Absent is "T". Undefined is neither: answer 400. */
export function parseOverwrite(text: string | null): boolean | undefined {
  const value = text?.trim().toUpperCase() ?? "T";
  return value === "T" ? true : value === "F" ? false : undefined;
}
