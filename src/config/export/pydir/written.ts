import { parseDuration } from "../../../core/units.ts";
import type { Written } from "../../edit.ts";
import { isPlainList, isPlainMap, type Plain, type PlainMap } from "../../plain.ts";
import { isSecretName } from "../../secrets-in.ts";

/** A section; one that is not there is empty. */
export function mapAt(config: Written, section: string): PlainMap {
  const value = config.at([section]);
  return isPlainMap(value) ? value : {};
}

/** One text or a list of them. */
export function listed(value: Plain | undefined): string[] {
  const list = isPlainList(value) ? value : value === undefined || value === null ? [] : [value];
  return list.map(textOf);
}

/** A value that is one word; "" for everything else. */
export function textOf(value: Plain | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** A duration in whole seconds. */
export function seconds(value: Plain | undefined): number | undefined {
  const ms = parseDuration(textOf(value));
  return ms === undefined ? undefined : Math.round(ms / 1000);
}

/** What an export cannot say, as comments beside what they are about, and as notes. */
export class Remarks {
  readonly notes: string[] = [];
  readonly #whole: string[] = [];
  readonly #about = new Map<object, readonly string[]>();

  /** About no part of it in particular. */
  whole(text: string): void {
    this.#whole.push(text);
    this.notes.push(text);
  }

  about(path: string): About {
    const said: string[] = [];
    const say = (text: string): void => {
      said.push(text);
      this.notes.push(`${path}: ${text}`);
    };
    return {
      say,
      leave: (rest) => {
        for (const [key, value] of Object.entries(rest))
          say(`${shown(key, value)} has no place here`);
      },
      of: (part) => {
        this.#about.set(part, said);
        return part;
      },
    };
  }

  /** All of them, those about the whole at `director`. */
  for(director: object): ReadonlyMap<object, readonly string[]> {
    return new Map([...this.#about, [director, this.#whole]]);
  }
}

/** Everybody who may look sees it: a word with its value unless that is secret, else the key. */
function shown(key: string, value: Plain): string {
  const word = typeof value === "object" ? "" : String(value);
  return word === "" || isSecretName(key) ? key : `${key}: ${word}`;
}

export interface About {
  say(text: string): void;
  /** Keys that the schema does not have. */
  leave(rest: PlainMap): void;
  /** Says what it is about, and gives it back. */
  of<T extends object>(part: T): T;
}
