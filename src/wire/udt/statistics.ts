import type { Congestion } from "./congestion/congestion.ts";
import type { Receiver } from "./receiver.ts";
import type { Rtt } from "./rtt.ts";
import type { Sender } from "./sender.ts";
import type { UdtState, UdtStats } from "./settings.ts";

const SECOND = 1_000_000;

/** What a connection says of itself; `nonsense`: what neither half counts. The halves are there once it is open. */
export function statistics(
  state: UdtState,
  congestion: Congestion,
  rtt: Rtt,
  heardAt: number,
  nonsense: number,
  sender: Sender | undefined,
  receiver: Receiver | undefined,
): UdtStats {
  const flow = sender?.delivery.flow;
  return {
    state,
    congestion: congestion.name,
    rtt: rtt.smooth,
    rttVariance: rtt.variance,
    minRtt: rtt.least,
    heardAt,
    packetsSent: flow?.sent ?? 0,
    packetsReceived: receiver?.received ?? 0,
    bytesSent: sender?.bytes ?? 0,
    bytesReceived: receiver?.bytes ?? 0,
    retransmitted: sender?.retransmitted ?? 0,
    lost: flow?.lost ?? 0,
    duplicates: receiver?.duplicates ?? 0,
    overflowed: receiver?.overflowed ?? 0,
    nonsense: nonsense + (receiver?.nonsense ?? 0),
    messagesDropped: sender?.dropped ?? 0,
    inFlight: flow?.inFlight ?? 0,
    rate: congestion.period > 0 ? SECOND / congestion.period : 0,
    window: congestion.window,
    peerWindow: sender?.peerWindow ?? 0,
  };
}
