import { longestTrain } from "../../sys/datagram-trains.ts";
import type { TrainSender } from "../../sys/train-sender.ts";
import type { Line } from "./line.ts";

/** Datagrams of one connection before another gets its turn. */
const MAX_DATAGRAMS = 256;

/**
 * What a connection has to say, as trains for `sender`: datagrams of one length in a row, of which the last may be
 * shorter. `flush` sends what is there to make room; false: the socket takes nothing now.
 */
export function pack(
  { connection, route }: Line,
  now: number,
  sender: TrainSender,
  flush: () => boolean,
): void {
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
      if (!flush()) return;
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
