/** BIND's `$GENERATE start-stop[/step] owner [ttl] [class] type rdata`: lines with numbers put in. */
import { classAt } from "./mnemonic.ts";
import { Misread, type Words } from "./words.ts";

/** A /8 of reverse names; more is a slip of the pen. */
const MOST = 2 ** 24;
const RANGE = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/;
/** `$`, `\$`, or `${offset,width,base}`. */
const PLACE = /\\\$|\$\{(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\}|\$\$|\$/g;

/** The lines of the directive whose words these are. */
export function* generate(words: Words): Generator<Uint8Array> {
  const [, first = "", last = "", by = "1"] =
    RANGE.exec(words.count > 1 ? words.text(1) : "") ?? [];
  const start = Number(first);
  const stop = Number(last);
  const step = Number(by);
  if (first === "" || start > stop || step === 0)
    throw new Misread(1, 'expected numbers such as "1-100" or "0-98/2"');
  if ((stop - start) / step >= MOST) throw new Misread(1, `more than ${MOST} records`);
  if (words.count < 5) throw new Misread(words.count, "expected an owner, a type and its data");

  const template = line(words);
  const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  for (let i = start; i <= stop; i += step) yield latin1(template.replace(PLACE, put(i)));
}

/**
 * The words behind the range, quoted again where they were. Data of one quoted word is the text
 * inside, as BIND has it: `MX "10 mail$"`.
 */
function line(words: Words): string {
  const parts: string[] = [];
  for (let i = 2; i < words.count; i++)
    parts.push(words.quoted[i] === 1 ? `"${words.text(i)}"` : words.text(i));
  const last = words.count - 1;
  if (words.quoted[last] === 1 && typeWord(words) === last - 1)
    parts[parts.length - 1] = words.text(last).replaceAll('\\"', '"');
  return parts.join(" ");
}

/** The word behind the owner that is no TTL and no class. */
function typeWord(words: Words): number {
  const { bytes, starts, ends } = words;
  let at = 3;
  for (; at < words.count; at++) {
    const start = starts[at] as number;
    const digit = (bytes[start] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9) && classAt(bytes, start, ends[at] as number) < 0) break;
  }
  return at;
}

function put(i: number): (place: string, offset?: string, width?: string, base?: string) => string {
  return (place, offset = "0", width = "0", base = "d") => {
    if (place === "\\$" || place === "$$") return "\\$";
    return show(i + Number(offset), Number(width), base);
  };
}

function show(value: number, width: number, base: string): string {
  switch (base) {
    case "o":
      return value.toString(8).padStart(width, "0");
    case "x":
      return value.toString(16).padStart(width, "0");
    case "X":
      return value.toString(16).toUpperCase().padStart(width, "0");
    case "n":
    case "N":
      return nibbles(value, width, base === "N");
    default:
      return String(value).padStart(width, "0");
  }
}

/** Hexadecimal digits from the last to the first, a dot behind each as long as the width or the number goes on. */
function nibbles(value: number, width: number, upper: boolean): string {
  let text = "";
  let left = width;
  let rest = value;
  do {
    const digit = (rest % 16).toString(16);
    text += upper ? digit.toUpperCase() : digit;
    rest = Math.floor(rest / 16);
    left--;
    if (left <= 0 && rest === 0) break;
    text += ".";
    left--;
  } while (left > 0 || rest > 0);
  return text;
}
