import { writeFileSync } from "node:fs";
import { extname } from "node:path";

import { type Command, compareDirectors } from "../config/import/pydir/compare.ts";
import { decodeXml } from "../config/import/pydir/decode.ts";
import { importPydir } from "../config/import/pydir/pydir.ts";
import { readDirector } from "../config/import/pydir/read.ts";
import { import3xsd } from "../config/import/three-xsd.ts";
import { type Problem, showProblem } from "../config/problem.ts";
import { readBytes } from "../config/read-text.ts";
import { EXIT } from "./exit.ts";
import { complain, print, wantsColor } from "./terminal.ts";

const STDERR = 2;

interface Options {
  readonly output?: string;
  /** Path of the older of two pythondirector files. */
  readonly compare?: string;
}

/**
 * `tern import 3xsd.conf` or `pydir.xml`: YAML on standard output, what it could not carry on
 * standard error. With `--compare OLD.xml` the calls that turn one pythondirector into the other.
 */
export default function importVerb({ output, compare }: Options, file: string): number {
  if (compare !== undefined) return compareFiles(compare, file);
  const text = textOf(file);
  if (!isXml(text, file)) {
    const { yaml, notes } = import3xsd(text, file);
    write(yaml, output);
    for (const { line, message } of notes) complain(`${file}:${line}: ${message}`);
    return EXIT.ok;
  }
  const imported = importPydir(text, file);
  if (!imported.ok) return refuse(imported.problems);
  write(imported.yaml, output);
  tell(file, imported.notes);
  return EXIT.ok;
}

/** One call in a line, as JSON: its name and its parameters. */
function compareFiles(older: string, newer: string): number {
  const [old, next] = [older, newer].map((file) => readDirector(textOf(file), file));
  if (!old?.ok) return refuse(old?.problems ?? []);
  if (!next?.ok) return refuse(next?.problems ?? []);
  tell(older, old.notes);
  tell(newer, next.notes);
  const { commands, notes } = compareDirectors(old.director, next.director);
  for (const command of commands) print(JSON.stringify(inOrder(command)));
  for (const note of notes) complain(note);
  return EXIT.ok;
}

/** What is no XML is UTF-8 to `decodeXml`. */
function textOf(file: string): string {
  return decodeXml(readBytes(file));
}

function inOrder([name, parameters]: Command): Command {
  const entries = Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [name, Object.fromEntries(entries)];
}

/** pythondirector's files are XML, those of 3xsd never begin so. */
function isXml(text: string, file: string): boolean {
  return extname(file).toLowerCase() === ".xml" || /^\ufeff?\s*</.test(text);
}

function write(yaml: string, output: string | undefined): void {
  if (output === undefined) print(yaml.trimEnd());
  else writeFileSync(output, yaml, { flag: "wx" }); // an operator's file is never overwritten
}

function refuse(problems: readonly Problem[]): number {
  const color = wantsColor(STDERR);
  for (const problem of problems) complain(showProblem(problem, { color }));
  return EXIT.failed;
}

function tell(
  file: string,
  notes: readonly { readonly line: number; readonly column: number; readonly message: string }[],
): void {
  for (const { line, column, message } of notes) complain(`${file}:${line}:${column}: ${message}`);
}
