import type { Changed, CheckedText, ConfigDesk, FileDiff, How, Saved } from "../admin/deps.ts";
import { configDiff } from "../config/config-diff.ts";
import { difference, type Edit, type Written, written } from "../config/edit.ts";
import { showPath } from "../config/key-path.ts";
import { masked } from "../config/mask.ts";
import { unmask } from "../config/unmask.ts";
import type { Log } from "../observe/log.ts";
import { type ConfigPlace, readConfigText, showPlace, textAt } from "./config-text.ts";
import { explainError } from "./failure.ts";
import { type Amended, oneLine } from "./outcome.ts";
import { type Amendment, byEdits, byText } from "./running-text.ts";
import { CannotWrite, saveFile } from "./save-file.ts";
import { planSave } from "./save-text.ts";
import type { Supervisor } from "./supervisor.ts";

/** Most places that a change by hand is described by. */
const MOST_PLACES = 3;

/** The running config as the admin API reads, changes and saves it. */
export class Desk implements ConfigDesk {
  readonly #supervisor: Supervisor;
  readonly #place: ConfigPlace;
  readonly #log: Log;

  constructor(supervisor: Supervisor, place: ConfigPlace, log: Log) {
    this.#supervisor = supervisor;
    this.#place = place;
    this.#log = log;
  }

  get generation(): number {
    return this.#supervisor.generation;
  }

  masked(): string {
    return masked(this.#text);
  }

  written(): Written {
    return written(this.#text);
  }

  filed(): Written {
    return written(this.#supervisor.running.file);
  }

  check(text: string): CheckedText {
    const meant = unmask(text, this.#text, this.#name);
    if (!meant.ok) return { problems: meant.problems, warnings: [] };
    const read = this.#read(meant.text);
    return read.ok
      ? { problems: [], warnings: read.config.warnings }
      : { problems: read.problems, warnings: [] };
  }

  async put(text: string, who: string, how?: How): Promise<Changed> {
    const meant = unmask(text, this.#text, this.#name);
    if (!meant.ok) return { kind: "bad config", problems: meant.problems };
    const what = `config edited${places(this.#text, meant.text)}`;
    return this.#changed(byText(who, what, meant.text), how);
  }

  edit(
    what: string,
    who: string,
    edits: (config: Written) => readonly Edit[],
    how?: How,
  ): Promise<Changed> {
    return this.#changed(byEdits(who, what, edits), how);
  }

  /** Nothing else is changed meanwhile. */
  save(who: string, how: { readonly force: boolean; readonly render: boolean }): Promise<Saved> {
    return this.#supervisor.exclusively("reloading", () => this.#save(who, how));
  }

  diff(): FileDiff {
    const { text, file, unsaved } = this.#supervisor.running;
    const disk = this.#place.kind === "file" ? this.#onDisk() : file;
    return {
      ...configDiff(disk ?? file, text, [this.#name, "running"]),
      file: this.#place.kind === "file" ? this.#name : "",
      changedOnDisk: disk !== file && disk !== text,
      unsaved: unsaved.map(({ at, who, what }) => ({ at, who, what })), // what else they hold may be secret
    };
  }

  get #text(): string {
    return this.#supervisor.running.text;
  }

  get #name(): string {
    return showPlace(this.#place);
  }

  #read(text: string) {
    return readConfigText(this.#place, text, this.#supervisor.config.source.files);
  }

  #onDisk(): string | undefined {
    try {
      return textAt(this.#place);
    } catch {
      return undefined; // it is gone, or not ours to read any more
    }
  }

  async #changed(amendment: Amendment, how?: How): Promise<Changed> {
    return told(await this.#supervisor.amend(amendment, how), this.#supervisor);
  }

  async #save(
    who: string,
    { force, render }: { readonly force: boolean; readonly render: boolean },
  ): Promise<Saved> {
    const place = this.#place;
    const file = this.#name;
    if (place.kind !== "file") {
      const why = `there is no file to save to: this config is from ${place.name}`;
      return { kind: "refused", error: "no_file", why };
    }
    const { running } = this.#supervisor;
    let disk: string;
    try {
      disk = textAt(place);
    } catch (error) {
      return { kind: "refused", error: "cannot_write", why: explainError(error) };
    }
    const plan = planSave(disk, running, force, (text) => {
      const read = this.#read(text);
      return read.ok ? undefined : read.problems.map(oneLine).join("; ");
    });
    switch (plan.kind) {
      case "conflict":
        return { kind: "refused", error: "changed_on_disk", why: plan.why };
      case "same":
        this.#supervisor.saved();
        return { kind: "same", file, notes: plan.notes };
      case "write": {
        if (render) return { kind: "rendered", file, text: plan.text };
        try {
          await saveFile(place.path, plan.text);
        } catch (error) {
          if (!(error instanceof CannotWrite)) throw error;
          return { kind: "refused", error: "cannot_write", why: error.message };
        }
        const changes = running.unsaved.map(({ what, who }) => `${what} (${who})`);
        this.#supervisor.saved();
        this.#log.info("saved", { who, file, changes, ...(force && { force }) });
        return { kind: "saved", file, notes: plan.notes };
      }
    }
  }
}

/** An outcome as the admin API tells it. */
export function told(amended: Amended, supervisor: Supervisor): Changed {
  if (!amended.ok)
    return amended.kind === "stale"
      ? { kind: "stale", generation: supervisor.generation }
      : amended;
  const { changed, notes } = amended;
  const { generation, running } = supervisor;
  return { kind: "done", changed, notes, generation, unsaved: running.unsaved.length };
}

/** ` in log.level, pools.app and 3 more`. */
function places(before: string, after: string): string {
  try {
    const paths = difference(before, after).map(({ path }) => showPath(path));
    const shown = paths.slice(0, MOST_PLACES).join(", ");
    if (paths.length === 0) return ", comments only";
    const more = paths.length - MOST_PLACES;
    return ` in ${shown}${more > 0 ? ` and ${more} more` : ""}`;
  } catch {
    return ""; // what is no YAML is refused in better words
  }
}
