import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

import type { LogConfig, RootConfig } from "../config/root.ts";
import { AccessWriter } from "../observe/access-writer.ts";
import type { Journal } from "../observe/journal.ts";
import { LogFile } from "../observe/log-file.ts";
import type { Level } from "../observe/log.ts";
import { makeLog, type RootLog } from "../observe/logger.ts";
import type { Counter, Metrics } from "../observe/metrics.ts";
import { same } from "./same.ts";

const STDERR = 2;
/** The program's own log is for people: turned over, so that it cannot fill a disk. */
const LOG_ROTATE_BYTES = 100 * 2 ** 20;
const LOG_KEEP = 7;

/** The program's log and the access log of one process, as the config in force wants them. */
export class Logs {
  readonly log: RootLog;
  #accessLog: AccessWriter | undefined;
  #file: LogFile | undefined;
  #config: LogConfig;
  #access: RootConfig["accessLog"];
  readonly #dropped: { readonly program: Counter; readonly access: Counter };

  /** `terminal` is the descriptor that file "-" means; `journal` hears of everything. */
  constructor(
    config: Pick<RootConfig, "log" | "accessLog">,
    metrics: Metrics,
    terminal = STDERR,
    journal?: Pick<Journal, "add">,
  ) {
    const dropped = (log: string): Counter =>
      metrics.counter("tern_log_lines_dropped_total", "Lines that a log file did not take.", {
        log,
      });
    this.#dropped = { program: dropped("program"), access: dropped("access") };
    this.#config = config.log;
    this.#file = this.#open(config.log);
    const tty = this.#file === undefined && isatty(terminal);
    this.log = makeLog({
      level: config.log.level,
      format: config.log.format,
      clock: Date,
      ...(journal && { journal }),
      tty,
      color: tty && !process.env["NO_COLOR"],
      write: (line, level) => this.#write(line, level, terminal),
    });
    this.#tellOfFile();
    this.#openAccess(config.accessLog);
  }

  /** Does the log go to where the program was started, rather than to a file? */
  get toTerminal(): boolean {
    return this.#file === undefined;
  }

  /** Undefined when there is none. */
  get accessLog(): AccessWriter | undefined {
    return this.#accessLog;
  }

  /** Follow a new config; what cannot change while running is left as it is. */
  change(config: Pick<RootConfig, "log" | "accessLog">): void {
    this.log.setLevel(config.log.level);
    if (config.log.file !== this.#config.file) {
      this.#file?.close();
      this.#file = this.#open(config.log);
      this.#config = config.log;
      this.#tellOfFile();
    }
    this.#config = config.log;
    if (!same(config.accessLog, this.#access)) {
      const old = this.#accessLog;
      this.#openAccess(config.accessLog);
      old?.close();
    }
  }

  reopen(): void {
    this.#file?.reopen();
    this.#accessLog?.reopen();
  }

  close(): void {
    this.#file?.close();
    this.#accessLog?.close();
    this.#file = undefined;
  }

  #openAccess(config: RootConfig["accessLog"]): void {
    this.#access = config;
    this.#accessLog = undefined;
    if (!config) return;
    const { file: path, format, keep, rotate } = config;
    const file = new LogFile(path, {
      rotate,
      keep,
      onDropped: (lines, why) => {
        this.#dropped.access.add(lines);
        this.log.warn("access log lines lost", { lines, why });
      },
    });
    if (file.problem !== undefined)
      this.log.error("the access log cannot be written", { file: path, why: file.problem });
    this.#accessLog = new AccessWriter(file, format);
  }

  #open({ file }: LogConfig): LogFile | undefined {
    if (file === "-") return undefined;
    return new LogFile(file, {
      rotate: LOG_ROTATE_BYTES,
      keep: LOG_KEEP,
      onDropped: (lines) => this.#dropped.program.add(lines),
    });
  }

  #tellOfFile(): void {
    const why = this.#file?.problem;
    if (why !== undefined)
      this.log.error("the log file cannot be written", { file: this.#config.file, why });
  }

  #write(line: string, level: Level, terminal: number): void {
    if (this.#file) {
      this.#file.write(line);
      if (level !== "debug" && level !== "info") this.#file.flush();
      // What the file does not take is said where the program was started.
      if (this.#file.problem === undefined) return;
    }
    try {
      writeSync(terminal, line);
    } catch {
      // A full or closed pipe: there is nobody left to tell.
    }
  }
}

/** Is this descriptor open here? A worker has a log descriptor only when it was given one. */
export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
