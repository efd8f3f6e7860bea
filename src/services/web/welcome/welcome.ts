/** The page that greets a first start. It is part of the executable. */
import page from "./index.html" with { type: "text" };

/** Text by path. */
export function welcome(): Readonly<Record<string, string>> {
  // Its declared type is that of a page for Bun's own server; imported as text it is a string.
  return { "/index.html": page as unknown as string };
}
