import { SysError } from "./errno.ts";
import { setOption } from "./socket-options.ts";

export const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const SEGMENT_LENGTH = 18;

/** Room for an in6_pktinfo, and one cmsg(3) of an int: UDP_GRO in front, UDP_SEGMENT (a u16) behind. */
export const TRAIN_CONTROL = 64;
/** What UDP_SEGMENT takes of it. */
export const SEGMENT_CMSG = 24;
/** Most datagrams in one train (UDP_MAX_SEGMENTS of kernels before 6.9). */
export const MAX_SEGMENTS = 64;
/** Most bytes of one train: it travels as if it were one datagram, 65 535 less the headers. */
export const MAX_TRAIN = 65_000;

/** How many datagrams of `segment` bytes one train may have. */
export function longestTrain(segment: number): number {
  return Math.max(1, Math.min(MAX_SEGMENTS, Math.floor(MAX_TRAIN / segment)));
}

/**
 * From now on datagrams of one sender and length that arrive together may be handed over as one
 * train (UDP_GRO). False: this kernel cannot (before 5.0), and every train will be of one datagram.
 */
export function joinsTrains(fd: number): boolean {
  try {
    setOption(fd, "UDP_GRO", 1);
    return true;
  } catch (failed) {
    if (failed instanceof SysError && failed.code === "ENOPROTOOPT") return false;
    throw failed;
  }
}

/** Write at `at` in control data that this train is to be cut into datagrams of `segment` bytes. */
export function putSegment(view: DataView, at: number, segment: number): void {
  view.setInt32(at, SEGMENT_LENGTH, true);
  view.setInt32(at + 4, 0, true);
  view.setInt32(at + 8, SOL_UDP, true);
  view.setInt32(at + 12, UDP_SEGMENT, true);
  view.setUint16(at + 16, segment, true);
}
