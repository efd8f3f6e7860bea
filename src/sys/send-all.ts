import { errnoNumber } from "./errno.ts";
import { pointer } from "./memory.ts";
import { MMSGHDR } from "./message-headers.ts";

const EAGAIN = 11;

type SendMmsg = (
  fd: number,
  headers: ReturnType<typeof pointer>,
  count: number,
  flags: 0,
) => number;

/**
 * Send the messages of `count` headers at the address `headers`; how many went. The others are lost,
 * as datagrams may be.
 */
export function sendAll(sendmmsg: SendMmsg, fd: number, headers: number, count: number): number {
  let went = 0;
  for (let at = 0; at < count;) {
    const n = sendmmsg(fd, pointer(headers + at * MMSGHDR), count - at, 0);
    if (n > 0) {
      at += n;
      went += n;
      continue;
    }
    // The first of them cannot be sent: to nowhere, forbidden, or no room in the device's queue.
    if (errnoNumber() === EAGAIN) break;
    at++;
  }
  return went;
}
