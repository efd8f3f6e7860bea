/** The `Depth` header (RFC 4918, 10.2). */
export type Depth = 0 | 1 | "infinity";

/** Read the header's value; `absent` is the method's default. Undefined is none of the three: answer 400. */
export function parseDepth(text: string | null, absent: Depth): Depth | undefined {
  if (text === null) return absent;
  switch (text.trim().toLowerCase()) {
    case "0":
      return 0;
    case "1":
      return 1;
    case "infinity":
      return "infinity";
    default:
      return undefined;
  }
}
