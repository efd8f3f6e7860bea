import type { Written } from "../../config/edit.ts";
import { exportPydir } from "../../config/export/pydir/pydir.ts";
import { textOf } from "../../config/export/pydir/written.ts";
import type { User } from "../../config/import/pydir/director.ts";
import { isPlainList, isPlainMap } from "../../config/plain.ts";
import { parseReference } from "../../config/secret.ts";
import type { AdminAccess } from "../deps.ts";

/** What those see who may not change anything: a weak hash in their hands is a password. */
const HIDDEN = "*";

/** A config as running.xml or config.xml. */
export function xmlOf(
  config: Written,
  { users }: Pick<AdminAccess, "users">,
  hashes: boolean,
): string {
  const written = config.at(["admin", "users"]);
  const all = (isPlainList(written) ? written : []).flatMap((value): User[] => {
    if (!isPlainMap(value)) return [];
    const name = textOf(value["name"]);
    const text = textOf(value["password"]);
    const known = users.find((user) => user.name === name)?.password.reveal();
    const password = parseReference(text) === undefined ? text : (known ?? HIDDEN);
    const access = value["access"] === "readonly" ? "readonly" : "full";
    return [{ name, password: hashes ? password : HIDDEN, access }];
  });
  return exportPydir(config, all).xml;
}
