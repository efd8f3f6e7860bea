import { block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import { type Reactor, READABLE } from "../reactor.ts";

/** The longest that a client may go on talking to nobody. */
const LINGER_MS = 2000;
const IGNORED = block(64 * 1024);

/**
 * Close `fd`, watched by nobody, whose client has sent more than was read: closing at once would
 * make the kernel send a RST, and the client lose what it has not read yet. So say our last word,
 * and hear the client out.
 */
export function linger(fd: number, reactor: Reactor): void {
  const close = (): void => {
    clearTimeout(timer);
    reactor.forget(fd);
    socket.close(fd);
  };
  const timer = setTimeout(close, LINGER_MS).unref();
  socket.finish(fd);
  reactor.add(fd, READABLE, () => {
    const n = socket.receive(fd, IGNORED.at, IGNORED.bytes.length);
    if (n === 0 || n === socket.GONE) close();
  });
}
