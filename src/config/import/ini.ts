/** A setting of an INI file, as Python's ConfigParser reads it: names in lower case, the last wins. */
export interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  /** A later line of the same name in the same section is in force. */
  readonly overruled: boolean;
}

export interface Ini {
  readonly settings: readonly Setting[];
  /** Where each section begins first, in the order of the file. */
  readonly sections: ReadonlyMap<string, number>;
  /** Lines that are neither a section, a setting, a comment nor blank. */
  readonly strange: readonly { readonly line: number; readonly text: string }[];
}

const SECTION = /^\[([^\]]+)\]/;
const SETTING = /^([^:=\s][^:=]*)[:=](.*)$/;
const COMMENT = /^(?:[#;]|rem(?:\s|$))/i;
/** Behind a value, and only with a space before it. */
const COMMENT_BEHIND = /\s;.*$/;

/** Read an INI file. What cannot be read is told in `strange`; nothing throws. */
export function parseIni(text: string): Ini {
  const settings: Setting[] = [];
  const sections = new Map<string, number>();
  const strange: { line: number; text: string }[] = [];
  let section: string | undefined;
  // A line that begins with a space goes on with the value above it.
  let open = false;

  for (const [i, whole] of text.split(/\r\n|\r|\n/).entries()) {
    const line = i + 1;
    const bare = whole.trim();
    if (bare === "" || COMMENT.test(bare)) continue;
    const last = settings.at(-1);
    if (/^\s/.test(whole) && open && last !== undefined) {
      settings[settings.length - 1] = { ...last, value: `${last.value}\n${bare}`.trim() };
      continue;
    }
    const header = SECTION.exec(bare)?.[1];
    const [, name, value = ""] = SETTING.exec(bare) ?? [];
    open = header === undefined && name !== undefined && section !== undefined;
    if (header !== undefined) {
      section = header;
      if (!sections.has(header)) sections.set(header, line);
    } else if (name !== undefined && section !== undefined) {
      const clean = value.replace(COMMENT_BEHIND, "").trim();
      const setting = { section, name: name.trim().toLowerCase(), line, overruled: false };
      settings.push({ ...setting, value: clean === '""' ? "" : clean });
    } else strange.push({ line, text: bare });
  }
  return { settings: settings.map(markOverruled), sections, strange };
}

function markOverruled(setting: Setting, i: number, all: readonly Setting[]): Setting {
  const again = all.findLastIndex((s) => s.section === setting.section && s.name === setting.name);
  return again === i ? setting : { ...setting, overruled: true };
}
