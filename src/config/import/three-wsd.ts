import { parseIp, showIp } from "../../core/ip.ts";
import { rangeBlocks } from "../../core/ranges.ts";
import { showDuration } from "../../core/units.ts";
import type { Setting } from "./ini.ts";

/** Where 3wsd listened when the command line did not say another port. */
const PORT = 8000;
/** What `gzip_types` of 3wsd adds to, and takes from. */
const GZIP_TYPES = ["html", "htm", "js", "css", "txt", "xml"];
/** Decimal, unlike here. */
const SIZES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };
/** A file extension; one dot in front is allowed and means nothing. */
const EXTENSION = /^\.?[^/\s:.][^/\s:]*$/;
const SECONDS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** A site of the `web:` section, key by key in the order that it is to be written. */
export interface Site {
  readonly values: Readonly<Record<string, unknown>>;
  /** Said behind a key. */
  readonly remarks: Readonly<Record<string, string>>;
}

type Note = (line: number, message: string) => void;

/** The [3wsd] section of 3xsd as a site. `note` is told each thing that could not be carried. */
export function webSite(settings: readonly Setting[], note: Note): Site {
  const draft = new Draft(note);
  for (const setting of settings) {
    const carry = Object.hasOwn(CARRIERS, setting.name) ? CARRIERS[setting.name] : undefined;
    if (carry === undefined) note(setting.line, `3wsd has no setting "${setting.name}": left out`);
    else carry(draft, setting);
  }
  const gzip = settings.find(({ name }) => name === "gzip");
  if (gzip && draft.gzip["enabled"] === true && draft.gzip["types"] === undefined)
    note(gzip.line, "without gzip_types 3wsd compressed nothing; here the usual types are");
  return draft.finish();
}

/** What is known so far; keys of the contract. */
class Draft {
  readonly values: Record<string, unknown> = {};
  readonly gzip: Record<string, unknown> = { enabled: false };
  readonly remarks: Record<string, string> = {
    listen: `3wsd took its port from the command line (-p); ${PORT} when there was none`,
  };
  readonly note: Note;

  constructor(note: Note) {
    this.note = note;
  }

  finish(): Site {
    const { root = ".", index, mime_types, ...rest } = this.values;
    if (root === ".") this.remarks["root"] = "3wsd served the directory it was started in (or -d)";
    const values = { listen: [`:${PORT}`], root, index, mime_types, gzip: this.gzip, ...rest };
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    return { values: Object.fromEntries(given), remarks: this.remarks };
  }
}

const CARRIERS: Readonly<Record<string, (draft: Draft, setting: Setting) => void>> = {
  root(draft, { value, line }) {
    if (value === "") return;
    // oxlint-disable-next-line no-control-regex -- those are what is meant
    if (/[\x00-\x1f\x7f]/.test(value)) return draft.note(line, "root is no path: left out");
    draft.values["root"] = value;
    if (!value.startsWith("/"))
      draft.note(line, "root is relative: from the new file's directory, not where it is started");
  },

  index(draft, { value, line }) {
    const files = items(value);
    const plain = files.filter((file) => !file.includes("/"));
    for (const file of files)
      if (!plain.includes(file))
        draft.note(line, `"${file}" is a path, and no index file: left out`);
    if (plain.length > 0) draft.values["index"] = plain;
  },

  mime_types(draft, { value, line }) {
    const types = pairs(value, EXTENSION, /^[\x21-\x7e][\x20-\x7e]*$/, (item) =>
      draft.note(line, `"${item}" is not of the form extension:type: left out`),
    );
    if (types.length > 0) draft.values["mime_types"] = Object.fromEntries(types);
  },

  gzip(draft, { value, line }) {
    const word = value.toLowerCase();
    draft.gzip["enabled"] = word === "on";
    if (word !== "on" && word !== "off")
      draft.note(line, `gzip = ${value} is neither on nor off; 3wsd took it for off`);
  },
  gzip_size: (draft, setting) => size(draft, setting, "min"),
  gzip_max_size: (draft, setting) => size(draft, setting, "max"),

  gzip_types(draft, { value, line }) {
    const types = new Set(GZIP_TYPES);
    for (const item of items(value)) {
      const removed = item.startsWith("-") ? item.slice(1) : undefined;
      if (removed === undefined && EXTENSION.test(item)) types.add(item.toLowerCase());
      else if (removed === undefined || !types.delete(removed))
        draft.note(line, `"${item}" is no file type to add or to take away: left out`);
    }
    draft.gzip["types"] = [...types];
  },

  writers(draft, { value, line }) {
    const writers = items(value).filter((item) => {
      const ok = (parseIp(item) ?? rangeBlocks(item)) !== undefined;
      if (!ok) draft.note(line, `"${item}" is no address or range: left out`);
      return ok;
    });
    if (writers.length === 0) return;
    draft.values["webdav"] = { enabled: true, writers: writers.map(canonical) };
    draft.remarks["webdav"] = "3wsd knew PUT and DELETE; writers may now use all of WebDAV";
  },

  xcache_ttl(draft, { value, line }) {
    const ms = seconds(value);
    if (ms === undefined)
      draft.note(line, `xcache_ttl = ${value} is no number of seconds: left out`);
    else draft.values["cache"] = { ttl: showDuration(ms) };
  },

  server_pipelining(draft, { value }) {
    draft.values["pipelining"] = value.toLowerCase() === "on";
  },

  expire_types(draft, { value, line }) {
    const wrong = (item: string): void =>
      draft.note(line, `"${item}" is not of the form extension:time: left out`);
    const times = pairs(value, EXTENSION, /^\d+[smhdwy]?$/, wrong).map(([type, time]) => {
      const ms = seconds(time);
      if (ms === undefined) wrong(`${type}:${time}`);
      return [type, ms === undefined ? undefined : showDuration(ms)] as const;
    });
    const good = times.filter(([, time]) => time !== undefined);
    if (good.length > 0) draft.values["expires"] = Object.fromEntries(good);
  },
};

function size(draft: Draft, { name, value, line }: Setting, key: string): void {
  const [, count, unit = ""] = /^(\d+)([kmg]?)$/i.exec(value) ?? [];
  const bytes = Number(count ?? Number.NaN) * (SIZES[unit.toLowerCase()] ?? 1);
  if (Number.isSafeInteger(bytes)) draft.gzip[key] = bytes;
  else draft.note(line, `${name} = ${value} is no size: left out`);
}

function seconds(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d+)([smhdwy]?)$/.exec(text) ?? [];
  const ms = Number(count ?? Number.NaN) * (SECONDS[unit] ?? 1) * 1000;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

function items(value: string): string[] {
  return value
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** `a:b,c:d`; what is not of that form is told to `wrong`. A later one of the same key wins. */
function pairs(
  value: string,
  key: RegExp,
  text: RegExp,
  wrong: (item: string) => void,
): (readonly [string, string])[] {
  return items(value).flatMap((item) => {
    const at = item.indexOf(":");
    const [left, right] = [item.slice(0, Math.max(at, 0)).trim(), item.slice(at + 1).trim()];
    const ok = key.test(left) && text.test(right) && !(left in {});
    if (!ok) wrong(item);
    return ok ? [[left, right] as const] : [];
  });
}

/** Addresses in the form that the config shows them in; ranges stay. */
function canonical(text: string): string {
  const ip = parseIp(text);
  return ip ? showIp(ip) : text;
}
