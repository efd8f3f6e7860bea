/** What went through a link, and what did not, since it was made. */
export class Traffic {
  /** Datagrams, and bytes of them. */
  sent = 0;
  sentBytes = 0;
  received = 0;
  receivedBytes = 0;
  /** Packets that went into the kernel: one may be what several datagrams brought. */
  delivered = 0;
  /** Datagrams with a wrong seal. */
  forged = 0;
  /** Datagrams that came twice, or so late that nobody knows. */
  replayed = 0;
  /** Authentic, and makes no sense. */
  malformed = 0;
  /** Packets that are not from where the peer may speak. */
  foreign = 0;
  /** Packets of ours for which there was no key, and those too long for the path. */
  unsent = 0;
  /** Packets that the kernel did not take. */
  refused = 0;
  /** Datagrams of the peer that were for another, and went there. */
  relayed = 0;
  /** The peer was heard at another address than before. */
  roamed = 0;
}

/** Their names in metrics: `tern_tunnel_…_total`. */
export const TRAFFIC_METRICS: Readonly<Record<keyof Traffic, readonly [string, string]>> = {
  sent: ["tern_tunnel_sent_datagrams_total", "Datagrams sent to the peer."],
  sentBytes: ["tern_tunnel_sent_bytes_total", "Bytes of datagrams sent to the peer."],
  received: ["tern_tunnel_received_datagrams_total", "Authentic datagrams of the peer."],
  receivedBytes: ["tern_tunnel_received_bytes_total", "Bytes of the peer's authentic datagrams."],
  delivered: ["tern_tunnel_delivered_packets_total", "Packets given to the kernel."],
  forged: ["tern_tunnel_forged_total", "Datagrams with a wrong seal."],
  replayed: ["tern_tunnel_replayed_total", "Datagrams that came twice or too late."],
  malformed: ["tern_tunnel_malformed_total", "Authentic datagrams that make no sense."],
  foreign: ["tern_tunnel_foreign_total", "Packets from where the peer may not speak."],
  unsent: ["tern_tunnel_unsent_total", "Packets without a key for them, or too long."],
  refused: ["tern_tunnel_refused_total", "Packets that the kernel did not take."],
  relayed: ["tern_tunnel_relayed_datagrams_total", "Datagrams of the peer passed on unopened."],
  roamed: ["tern_tunnel_roamed_total", "Times that the peer's address changed."],
};
