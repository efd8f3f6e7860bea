import type { IndexTable } from "./index-table.ts";
import type { Agreed, Keypair } from "./keypair.ts";
import type { Keys, Primitives } from "./primitives.ts";
import type { Protocol } from "./protocol.ts";
import type { Session } from "./session.ts";

/** What our end of all tunnels of one socket is. */
export interface Identity {
  readonly primitives: Primitives;
  readonly protocol: Protocol;
  readonly keys: Keys;
}

export interface SessionOptions<K> {
  readonly identity: Identity;
  /** The peer's public key. */
  readonly peer: Uint8Array;
  /** A secret besides; 32 zero bytes are none. */
  readonly psk: Uint8Array;
  /** What we say of ourselves: as many bytes as the protocol has for it. */
  readonly offer: Uint8Array;
  /** Time between signs of life, in ms; 0 for none. */
  readonly keepalive: number;
  readonly indices: IndexTable<K, Session<K>>;
  readonly dice: (bytes: number) => Uint8Array;
  /** The time of day, in ms since 1970. */
  readonly wall: () => number;
  /** Make ciphers of keys, and give them back. */
  readonly open: (agreed: Agreed) => K;
  readonly close: (keys: K) => void;
}

/** What a session wants. `unreachable`: nobody answers; whatever waits to be sent can be dropped. */
export type Wish<K> =
  | { readonly kind: "handshake"; readonly bytes: Uint8Array }
  /** An empty packet, or any that waits. Tell of it with `sent`, as of all others. */
  | { readonly kind: "keepalive"; readonly keypair: Keypair<K> }
  | { readonly kind: "unreachable" };
