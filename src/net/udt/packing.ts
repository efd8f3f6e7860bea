import { longestTrain } from "../../sys/datagram-trains.ts";
import type { Line } from "./line.ts";
import type { Outgoing } from "./outgoing.ts";

/** Datagrams of one connection before another gets its turn. */
const MAX_DATAGRAMS = 256;

/**
 * What a connection has to say, as trains: datagrams of one length in a row, of which the last may be shorter. What is
 * there is sent to make room, and no more is said once the socket takes nothing.
 */
export function pack({ connection, route }: Line, now: number, outgoing: Outgoing): void {
  const sender = outgoing.trains;
  const { bytes } = sender;
  const { datagramSize } = connection;
  let start = sender.offset;
  let at = start;
  let segment = 0;
  let most = 0;
  const end = (): void => {
    if (segment > 0) sender.push(route, at - start, segment);
    start = at;
    segment = 0;
  };
  for (let left = MAX_DATAGRAMS; left > 0; left--) {
    if (sender.full || at + datagramSize > bytes.length) {
      end();
      if (!outgoing.send()) return;
      start = at = sender.offset;
    }
    const n = connection.poll(now, bytes, at);
    if (n === 0) break;
    if (n > segment) end(); // longer than those before: the beginning of a train of its own
    if (segment === 0) {
      segment = n;
      most = longestTrain(n) * n;
    }
    at += n;
    if (n < segment || at - start >= most) end();
  }
  end();
}
