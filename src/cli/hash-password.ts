import { openSync, readSync } from "node:fs";
import { isatty, ReadStream } from "node:tty";

import { EXIT, Exit } from "./exit.ts";
import { complain, print } from "./terminal.ts";

const STDIN = 0;
/** Longer than any password; a pipe that never ends is a mistake. */
const MOST_BYTES = 4096;
const CTRL_C = "\u0003";
const ENTER = ["\r", "\n", "\u0004"];
const ERASE = ["\u0008", "\u007f"];

/** `tern hash-password`: asked for twice on a terminal, without showing it; one line of a pipe. */
export default async function hashPassword(): Promise<number> {
  const password = isatty(STDIN) ? await askTwice() : readPipe();
  if (password === "") throw new Exit(EXIT.failed, "an empty password is none");
  print(await Bun.password.hash(password, "argon2id"));
  return EXIT.ok;
}

async function askTwice(): Promise<string> {
  const terminal = new ReadStream(openSync("/dev/tty", "r+"));
  terminal.setRawMode(true); // no echo
  terminal.setEncoding("utf8");
  const typed = keys(terminal);
  try {
    const first = await askOnce(typed, "Password: ");
    const again = await askOnce(typed, "Again: ");
    if (first !== again) throw new Exit(EXIT.failed, "the two are not the same");
    return first;
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
  }
}

/** Key by key, however they come: somebody may type ahead, or paste. */
async function* keys(terminal: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  for await (const text of terminal) yield* text;
}

async function askOnce(typed: AsyncGenerator<string, undefined>, prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const password: string[] = [];
  for (;;) {
    const { value: key, done } = await typed.next();
    if (done || key === CTRL_C) {
      complain("");
      throw new Exit(EXIT.failed, "given up");
    }
    if (ENTER.includes(key)) {
      complain("");
      return password.join("");
    }
    if (ERASE.includes(key)) password.pop();
    else password.push(key);
  }
}

function readPipe(): string {
  const bytes = Buffer.alloc(MOST_BYTES);
  let length = 0;
  for (
    let n;
    length < MOST_BYTES && (n = readSync(STDIN, bytes, length, MOST_BYTES - length, null)) > 0;
  )
    length += n;
  const [line = ""] = bytes.toString("utf8", 0, length).split(/\r?\n/, 1);
  return line;
}
