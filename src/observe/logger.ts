import type { Calendar } from "./calendar.ts";
import type { Journal } from "./journal.ts";
import { type Level, LEVELS, type Log, type LogFields } from "./log.ts";
import { plain } from "./plain.ts";

export interface LogOptions {
  readonly level: Level;
  /** `auto` is text on a terminal and JSON lines everywhere else. */
  readonly format: "auto" | "text" | "json";
  /** Takes one whole line, newline included. The level lets a file flush at once what is urgent. */
  readonly write: (line: string, level: Level) => void;
  readonly clock: Calendar;
  /** `write` ends at a terminal. */
  readonly tty?: boolean;
  /** Hears of everything, whatever the level of the lines: it is what the console shows. */
  readonly journal?: Pick<Journal, "add">;
  /** Colours in text. Without it: when it is a terminal. Hand in false for NO_COLOR. */
  readonly color?: boolean;
}

/** A log whose level a reload can change, for every log made from it by `with`. */
export interface RootLog extends Log {
  setLevel(level: Level): void;
}

/** The appliance's log. Writing never throws for what the fields hold. */
export function makeLog(options: LogOptions): RootLog {
  const { clock, journal, write, tty = false, color = tty } = options;
  const text = options.format === "text" || (options.format === "auto" && tty);
  const line = text ? (color ? colored : uncolored) : json;
  let least = LEVELS.indexOf(options.level);

  function make(context: LogFields): Log {
    function at(level: Level): Log[Level] {
      const rank = LEVELS.indexOf(level);
      return (message, fields) => {
        if (rank < least && !journal) return;
        const all = fields === undefined ? context : { ...context, ...fields };
        const now = clock.now();
        journal?.add(level, message, all, now);
        if (rank >= least) write(line(new Date(now), level, message, all), level);
      };
    }
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => make({ ...context, ...fields }),
    };
  }
  return { ...make({}), setLevel: (level) => void (least = LEVELS.indexOf(level)) };
}

type Line = (time: Date, level: Level, message: string, fields: LogFields) => string;

/** What a reader of lines needs comes first and cannot be overwritten by a field. */
const json: Line = (time, level, message, fields) => {
  const head = { time: time.toISOString(), level, message };
  const rest = plain(fields) as Record<string, unknown>; // plain keeps objects objects
  return `${JSON.stringify({ ...head, ...rest, ...head }).replace(LATE_CONTROLS, unicode)}\n`;
};

const uncolored: Line = (time, level, message, fields) => sentence(time, level, message, fields);
const colored: Line = (time, level, message, fields) =>
  sentence(time, level, message, fields, COLORS[level]);

const COLORS: Record<Level, string> = {
  debug: "\x1b[2m",
  info: "\x1b[32m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
};
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** `10:58:00.000 warn  message key=value`, and the stacks of errors indented below it. */
function sentence(
  time: Date,
  level: Level,
  message: string,
  fields: LogFields,
  paint = "",
): string {
  const reset = paint && RESET;
  const dim = paint && DIM;
  let text = `${dim}${time.toISOString()}${reset} ${paint}${level.padEnd(5)}${reset} ${visible(message)}`;
  const below: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const shown = plain(value, name);
    if (shown === undefined) continue;
    if (value instanceof Error) below.push(...stackOf(shown as Shown)); // plain made it from an Error
    const word = value instanceof Error ? `${(shown as Shown).message}` : shown;
    text += ` ${dim}${visible(name)}=${reset}${bare(word)}`;
  }
  return [text, ...below].join("\n") + "\n";
}

/** What `plain` makes of an error. */
type Shown = { stack?: string; message: string; name: string; cause?: unknown };

function stackOf(error: Shown, indent = "    "): string[] {
  const lines = (error.stack ?? `${error.name}: ${error.message}`).split("\n");
  const own = lines.map((line) => indent + visible(line.trim()));
  const { cause } = error;
  if (cause === undefined) return own;
  if (typeof cause !== "object" || cause === null || !("message" in cause)) {
    return [...own, `${indent}because ${visible(JSON.stringify(cause))}`];
  }
  return [...own, `${indent}because`, ...stackOf(cause as Shown, indent + "  ")];
}

/** A value without quotes where that cannot be misread. */
function bare(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=\\]+$/.test(value)) return visible(value);
  return visible(JSON.stringify(value));
}

/** C1 controls, line separators and changes of direction: JSON leaves them, a terminal obeys them. */
const LATE_CONTROLS = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Nothing a stranger sent may start a line of its own or speak to the terminal. */
function visible(text: string): string {
  return text.replace(CONTROLS, unicode);
}

function unicode(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
