import { formatDate } from "../../wire/http/date.ts";

const date = { second: 0, text: "", bytes: new Uint8Array(29) };

/** The Date field's value for this second since 1970, as text and as its 29 bytes. Shared: do not keep it. */
export function currentDate(): Readonly<typeof date> {
  const now = Math.floor(Date.now() / 1000);
  if (now !== date.second) {
    date.second = now;
    date.text = formatDate(now * 1000);
    for (let i = 0; i < 29; i++) date.bytes[i] = date.text.charCodeAt(i);
  }
  return date;
}
