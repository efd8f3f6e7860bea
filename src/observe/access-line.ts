import type { AccessEntry } from "./access-log.ts";

/**
 * One line of the access log. Strangers choose most of what is in it, so every field is escaped
 * until only printable ASCII is left, without the quote and the backslash that end and escape a
 * field: no request can write a line, or a column, that is not its own.
 */

/** Escaped characters a field may take, so that a line fits in PIPE_BUF (4096); the rest is "...". */
const MOST = { long: 1600, medium: 500, short: 255 } as const;

/** Apache's and nginx's `combined`. `time` is as in `localTime`. */
export function combined(entry: AccessEntry, time: string): string {
  const { client, user, method, target, protocol, status, bytes, referer, agent } = entry;
  const request = `${quoted(method, 32)} ${quoted(target, MOST.long)} ${quoted(protocol, 16)}`;
  const who = `${bareword(client)} - ${bareword(user)}`;
  const from = `"${quoted(referer || "-", MOST.medium)}" "${quoted(agent || "-", MOST.medium)}"`;
  return `${who} [${time}] "${request}" ${status} ${bytes} ${from}\n`;
}

/** The same and more as one JSON object. `time` is ISO 8601. */
export function json(entry: AccessEntry, time: string): string {
  const { service, client, user, method, target, protocol, host, status, bytes, ms } = entry;
  return (
    `{"time":"${time}","service":${string(service, MOST.short)}` +
    `,"client":${string(client, MOST.short)},"user":${string(user, MOST.short)}` +
    `,"method":${string(method, 32)},"target":${string(target, MOST.long)}` +
    `,"protocol":${string(protocol, 16)},"host":${string(host, MOST.short)}` +
    `,"status":${status},"bytes":${bytes},"ms":${Math.round(ms * 1000) / 1000}` +
    `,"referer":${string(entry.referer, MOST.medium)},"agent":${string(entry.agent, MOST.medium)}${upstreamOf(entry)}}\n`
  );
}

function upstreamOf({ upstream }: AccessEntry): string {
  if (upstream === undefined) return "";
  const { server, ms } = upstream;
  return `,"upstream":${string(server, MOST.short)},"upstream_ms":${Math.round(ms * 1000) / 1000}`;
}

/** `22/Nov/2026:10:58:00 +0100`, in the zone of this machine. */
export function localTime(ms: number): string {
  const at = new Date(ms);
  const off = -at.getTimezoneOffset();
  const zone = `${off < 0 ? "-" : "+"}${two(Math.abs(off) / 60)}${two(Math.abs(off) % 60)}`;
  const day = `${two(at.getDate())}/${MONTHS[at.getMonth()]}/${at.getFullYear()}`;
  return `${day}:${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${zone}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function two(n: number): string {
  return String(Math.floor(n)).padStart(2, "0");
}

const UNSAFE = /[^ !#-[\]-~]/;
const UNSAFE_WORD = /[^!#-[\]-~]/;

function quoted(text: string, most: number): string {
  return text.length <= most && !UNSAFE.test(text) ? text : escape(text, most, UNSAFE, hex);
}

/** For columns without quotes: a space would end them. */
function bareword(text: string | undefined): string {
  if (!text) return "-";
  return text.length <= MOST.short && !UNSAFE_WORD.test(text)
    ? text
    : escape(text, MOST.short, UNSAFE_WORD, hex);
}

function string(text: string | null | undefined, most: number): string {
  if (text === null || text === undefined) return "null";
  return text.length <= most && !UNSAFE.test(text)
    ? `"${text}"`
    : `"${escape(text, most, UNSAFE, unicode)}"`;
}

/** Stops before `most` characters, never in the middle of an escape. */
function escape(
  text: string,
  most: number,
  unsafe: RegExp,
  code: (char: string) => string,
): string {
  let out = "";
  for (const char of text) {
    const next = unsafe.test(char) ? code(char) : char;
    if (out.length + next.length > most) return `${out}...`;
    out += next;
  }
  return out;
}

/** `\xHH` as nginx does: field values arrive as Latin-1, one character per byte; others as UTF-8. */
function hex(char: string): string {
  const code = char.charCodeAt(0);
  const bytes = code <= 0xff ? [code] : [...Buffer.from(char)];
  return bytes.map((b) => `\\x${b.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function unicode(char: string): string {
  if (char === '"' || char === "\\") return `\\${char}`;
  return Array.from({ length: char.length }, (_, i) => {
    return `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }).join("");
}
