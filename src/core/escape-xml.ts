const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // As they are, a reader would make spaces or line feeds of them (XML 1.0, 3.3.3).
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** For text and for quoted attribute values. What XML cannot say becomes U+FFFD. */
export function escapeXml(text: string): string {
  return speakable(text).replaceAll(/[&<>"\t\n\r]/g, (c) => ESCAPES[c] ?? c);
}

/** What XML 1.0 has no way to write (2.2) becomes U+FFFD. */
export function speakable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- it is control characters that must go
  return text.toWellFormed().replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
}
