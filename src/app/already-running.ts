import { connect } from "node:net";

/** A process that listens answers at once. */
const PATIENCE_MS = 1000;

/** Does somebody answer on this unix socket? */
export function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  const end = (answer: boolean): void => {
    socket.destroy();
    resolve(answer);
  };
  socket.setTimeout(PATIENCE_MS, () => end(false));
  socket.on("connect", () => end(true));
  socket.on("error", () => end(false));
  return promise;
}
