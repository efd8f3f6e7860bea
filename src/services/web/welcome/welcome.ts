/** The page that greets a first start. Its files are part of the executable. */
import page from "./index.html" with { type: "text" };

import style from "./style.css" with { type: "text" };

export function welcome(): Readonly<Record<string, string>> {
  // Its declared type is that of a page for Bun's own server; as text it is a string.
  return { "/index.html": page as unknown as string, "/style.css": style };
}
