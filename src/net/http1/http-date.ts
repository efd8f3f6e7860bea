import { formatDate } from "../../wire/http/date.ts";

const date = { text: "", bytes: new Uint8Array(29) };
let second = 0;

/** The Date field's value for this second, as text and as its 29 bytes. Shared: do not keep it. */
export function currentDate(): { readonly text: string; readonly bytes: Uint8Array } {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    date.text = formatDate(now * 1000);
    for (let i = 0; i < 29; i++) date.bytes[i] = date.text.charCodeAt(i);
  }
  return date;
}
