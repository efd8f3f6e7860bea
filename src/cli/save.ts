import { realpathSync } from "node:fs";

import { CannotWrite, saveFile } from "../app/save-file.ts";
import { type Answer, ask, reason } from "./client.ts";
import { configPlace } from "./config-place.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { print, printJson } from "./terminal.ts";

/** What the API says of a save. */
interface Done {
  readonly error?: string;
  readonly saved?: boolean;
  readonly file?: string;
  readonly notes?: readonly string[];
  readonly text?: string;
}

const PATH = "/api/v1/config/save";

/** `tern save`: what runs is written to the file, comments kept. */
export default async function save(
  options: Where & { force?: boolean; json?: boolean },
): Promise<number> {
  const force = options.force === true;
  let answer = await ask(options, "POST", PATH, { force });
  const { error } = answer.json as Done;
  // The running tern has dropped its rights; root, who asks, has them.
  const byUs = error === "cannot_write" && process.geteuid?.() === 0;
  if (byUs) answer = await writeHere(options, force);
  const { saved = false, file = "", notes = [] } = answer.json as Done;
  if (options.json) {
    printJson(byUs ? { saved: true, file, notes } : answer.json);
    return answer.ok ? EXIT.ok : EXIT.failed;
  }
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  print(saved || byUs ? `saved to ${file}` : `${file} says it already`);
  for (const note of notes) print(note);
  return EXIT.ok;
}

/** Write what the running tern would, and tell it that the file has it now. */
async function writeHere(where: Where, force: boolean): Promise<Answer> {
  const rendered = await ask(where, "POST", PATH, { force, render: true });
  const { file, text } = rendered.json as Done;
  if (!rendered.ok || file === undefined || text === undefined) return rendered;
  // The running tern may be in other hands: it does not tell root which file to write.
  if (!isNamed(where, file)) {
    const why = `the running tern may not write ${file}; root does it when told so: tern save -c ${file}`;
    throw new Exit(EXIT.failed, why);
  }
  try {
    await saveFile(file, text);
  } catch (failed) {
    if (failed instanceof CannotWrite) throw new Exit(EXIT.failed, failed.message);
    throw failed;
  }
  return ask(where, "POST", PATH, { force: false });
}

/** Is it the config that the caller means? */
function isNamed({ config }: Where, file: string): boolean {
  const place = configPlace(config);
  try {
    return place.kind === "file" && realpathSync(place.path) === realpathSync(file);
  } catch {
    return false; // one of them is not there
  }
}
