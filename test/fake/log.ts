import type { Log, LogFields } from "../../src/observe/log.ts";

/** A log that remembers: `lines` are `level message`, newest last. */
export function memoryLog(): Log & { readonly lines: string[]; readonly fields: LogFields[] } {
  const lines: string[] = [];
  const fields: LogFields[] = [];
  const write =
    (level: string) =>
    (message: string, more: LogFields = {}) => {
      lines.push(`${level} ${message}`);
      fields.push(more);
    };
  const log = {
    lines,
    fields,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: () => log,
  };
  return log;
}
