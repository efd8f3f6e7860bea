import { makePipe, type Pipe } from "../../sys/pipe.ts";
import { close } from "../../sys/socket.ts";

/** Pipes at once: two files each, so that idle connections have the files. */
const MAX_PIPES = 128;
/** Bytes in flight in one pipe. */
const PIPE_SIZE = 1024 * 1024;

/** Pipes for splice(2), lent only while a direction has bytes in flight. */
export class PipePool {
  readonly #idle: Pipe[] = [];
  #made = 0;

  /** An empty pipe; undefined when all are lent or the process is out of files. */
  take(): Pipe | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#made >= MAX_PIPES) return idle;
    const pipe = makePipe(PIPE_SIZE);
    if (pipe !== undefined) this.#made++;
    return pipe;
  }

  /** It is empty again. */
  giveBack(pipe: Pipe): void {
    this.#idle.push(pipe);
  }

  /** Close one that bytes are left in. */
  drop(pipe: Pipe): void {
    close(pipe.reader);
    close(pipe.writer);
    this.#made--;
  }

  /** Close those that nobody uses. */
  close(): void {
    for (const pipe of this.#idle.splice(0)) this.drop(pipe);
  }
}
