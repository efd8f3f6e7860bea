import { openSync, readSync } from "node:fs";
import { isatty, ReadStream } from "node:tty";

import { EXIT, Exit } from "./exit.ts";
import { complain, print } from "./terminal.ts";

const STDIN = 0;
/** Longer than any password; a pipe that never ends is a mistake. */
const MOST_BYTES = 4096;
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
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
  try {
    const first = await askOnce(terminal, "Password: ");
    const again = await askOnce(terminal, "Again: ");
    if (first !== again) throw new Exit(EXIT.failed, "the two are not the same");
    return first;
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
  }
}

function askOnce(terminal: ReadStream, prompt: string): Promise<string> {
  process.stderr.write(prompt);
  let typed = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const read = (text: string): void => {
    for (const char of text) {
      if (char === CTRL_C) return finish(() => reject(new Exit(EXIT.failed, "given up")));
      if (char === "\r" || char === "\n" || char === CTRL_D) return finish(() => resolve(typed));
      if (ERASE.includes(char)) typed = [...typed].slice(0, -1).join("");
      else typed += char;
    }
  };
  const finish = (then: () => void): void => {
    terminal.off("data", read);
    complain("");
    then();
  };
  terminal.on("data", read);
  return promise;
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
