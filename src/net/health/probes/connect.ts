import { dial, dialled, type Refused } from "../../../sys/dial.ts";
import { close } from "../../../sys/socket.ts";
import { type Reactor, WRITABLE } from "../../reactor.ts";

const WORDS: Partial<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "timeout",
};

/**
 * A connected TCP socket, the caller's to close; or why there is none. When `deadline` comes first
 * the attempt is withdrawn at once: nothing is left waiting for an answer to its SYN.
 */
export function connect(
  reactor: Reactor,
  host: string,
  port: number,
  deadline: AbortSignal,
): Promise<{ fd: number } | { why: string }> {
  if (deadline.aborted) return Promise.resolve({ why: "timeout" });
  const begun = dial(host, port);
  if ("why" in begun) return Promise.resolve({ why: words(begun.why) });
  const { fd } = begun;
  const { promise, resolve } = Promise.withResolvers<{ fd: number } | { why: string }>();
  const late = (): void => {
    reactor.remove(fd);
    close(fd);
    resolve({ why: "timeout" });
  };
  deadline.addEventListener("abort", late, { once: true });
  reactor.add(fd, WRITABLE, () => {
    deadline.removeEventListener("abort", late);
    reactor.remove(fd);
    const why = dialled(fd);
    if (why !== undefined) close(fd);
    resolve(why === undefined ? { fd } : { why: words(why) });
  });
  return promise;
}

function words(why: Refused): string {
  return WORDS[why] ?? why;
}
