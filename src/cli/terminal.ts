import { writeSync } from "node:fs";
import { isatty } from "node:tty";

const STDOUT = 1;
const STDERR = 2;

/** Colours only where somebody sees them, and not for those who do not want any (no-color.org). */
export function wantsColor(fd: number): boolean {
  return isatty(fd) && !process.env["NO_COLOR"];
}

export type Paint = (color: "bold" | "dim" | "green" | "yellow" | "red", text: string) => string;

const CODES = { bold: 1, dim: 2, green: 32, yellow: 33, red: 31 } as const;

export function painter(fd: number = STDOUT): Paint {
  if (!wantsColor(fd)) return (_color, text) => text;
  return (color, text) => `\x1b[${CODES[color]}m${text}\x1b[0m`;
}

/** One or more lines on standard output, all of them there when this returns. */
export function print(text: string): void {
  write(STDOUT, `${text}\n`);
}

/** The same on standard error: for people, while data goes to standard output. */
export function complain(text: string): void {
  write(STDERR, `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** `process.exit` does not wait for what `process.stdout` still holds, so this does not use it. */
function write(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return; // `tern schema | head`
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1); // somebody's non-blocking pipe is full
    }
  }
}
