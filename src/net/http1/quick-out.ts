import type { Prepared } from "../quick.ts";
import { currentDate } from "./http-date.ts";
import type { Outbox } from "./outbox.ts";

/**
 * Send a response made ahead, with the date of this second. `keep`: the connection goes on;
 * `alone`: no request waits behind this one, and nothing is to be sent in one packet with it.
 * Answers the bytes of body that go out.
 */
export function sendQuick(
  out: Outbox,
  prepared: Prepared,
  keep: boolean,
  alone: boolean,
  isHead: boolean,
): number {
  const date = currentDate();
  if (prepared.stamp !== date.second) prepared.refresh(date);
  if (keep && alone && prepared.packet !== undefined && !isHead) {
    out.sendNow(prepared.packet, 0, prepared.packet.length);
    return prepared.body.length;
  }
  out.put(keep ? prepared.head : prepared.closing);
  return isHead ? 0 : sendBody(out, prepared);
}

function sendBody(out: Outbox, prepared: Prepared): number {
  if (prepared.source !== undefined) {
    out.putCopy(prepared.source);
    return prepared.source.length;
  }
  if (prepared.file === undefined) {
    if (prepared.body.length > 0) out.put(prepared.body);
    return prepared.body.length;
  }
  prepared.hold?.();
  out.putFile(prepared.file);
  out.afterwards(() => prepared.drop?.());
  return prepared.file.length;
}
