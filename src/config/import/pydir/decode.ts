/** Where an XML declaration stands, if there is one, and what it says of the encoding. */
const DECLARED = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/;
/** Longer than any declaration. */
const HEAD = 200;

/** The text of an XML file: by its byte order mark, else as it says itself, else UTF-8. */
export function decodeXml(bytes: Uint8Array): string {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (mark === 0xfeff) return new TextDecoder("utf-16be").decode(bytes);
  if (mark === 0xfffe) return new TextDecoder("utf-16le").decode(bytes);
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, HEAD));
  return decoder(DECLARED.exec(head)?.[1] ?? "utf-8").decode(bytes);
}

function decoder(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding);
  } catch {
    return new TextDecoder(); // an encoding nobody knows: most of it is ASCII anyway
  }
}
