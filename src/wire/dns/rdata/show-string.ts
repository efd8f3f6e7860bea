/** Bytes in quotes, as a master file has them: `\"`, `\\`, and `\DDD` for what cannot be printed. */
export function showString(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte < 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, "0")}`;
    else if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else text += String.fromCharCode(byte);
  }
  return `${text}"`;
}
