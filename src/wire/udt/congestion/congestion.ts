/** What a congestion control sees of a flow. The sender keeps one and updates it in place. Times are µs. */
export type Flow = {
  now: number;
  /** Smoothed round trip and its deviation. */
  rtt: number;
  rttVariance: number;
  /** The newest round trip measured, without what the receiver held back; 0: none with this acknowledgement. */
  rttSample: number;
  /** Packets sent, repeats included. */
  sent: number;
  /** Packets the peer has, as far as known: those beyond gaps too. Never goes back. */
  delivered: number;
  /** The moment `delivered` was true, by a clock of its own (the peer's when it tells): only differences mean something. */
  deliveredAt: number;
  /** Packets found lost. */
  lost: number;
  /** Packets on their way: sent, neither delivered nor found lost. */
  inFlight: number;
  /** The last moment when not the congestion control but the program or the peer's buffer held us back. */
  idleAt: number;
  /** Packets the peer has room for. */
  peerWindow: number;
  /** The peer is one of ours: it acknowledges often, and says what it has beyond gaps. */
  told: boolean;
  /** What the peer measures, packets per second; 0: it does not know. */
  receiveRate: number;
  linkCapacity: number;
  /** Newest sequence number sent. */
  newest: number;
  /** Size of a full packet, bytes. */
  packetSize: number;
};

/**
 * How fast, and how much at once. It is asked nothing: it keeps `period` and `window` right whenever it is told
 * something, so the sender reads two numbers per packet.
 */
export interface Congestion {
  /** Name for `stats`. */
  readonly name: string;
  /** µs from one data packet to the next. */
  readonly period: number;
  /** Most packets in flight. */
  readonly window: number;
  /** True: `window` is counted from the first packet not acknowledged, as libudt does; false: what is in flight. */
  readonly spans: boolean;
  /** The connection is open; nothing was sent yet. */
  onStart(flow: Flow): void;
  /** News from an acknowledgement (full, light) or from a report of loss. */
  onAck(flow: Flow): void;
  /** Packets from `first` to `last` are lost; called once for each range. */
  onLoss(flow: Flow, first: number, last: number): void;
  /** The peer has been silent for too long: `count` is how often that was so in a row. */
  onTimeout(flow: Flow, count: number): void;
}
