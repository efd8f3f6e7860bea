import { Ask, type Handshake, SocketType, VERSION, wireAddress } from "./handshake.ts";
import { DEFAULT_MSS, LEAST_MSS, MOST_MSS } from "./packet.ts";
import type { UdtOptions } from "./settings.ts";

const DEFAULT_PACKETS = 8192;
/** Rings of packets: the first size they have, and what keeps all of them within a quarter of the numbers. */
const LEAST_PACKETS = 64;
const MOST_PACKETS = 1 << 20;
/** Bytes of an address of IPv6; UDT counts 28 bytes of IP and UDP, as IPv4 has, and IPv6 has so many more. */
const IP6_ADDRESS = 16;
const IP6_EXTRA = 20;

/** What this end says of itself when hands are shaken. Its `mss`, in bytes, is no more than the peer's, where that is known. */
export function ownHandshake(options: UdtOptions): Handshake {
  const { hello, id, initial, kind, peerAddress } = options;
  const extra = peerAddress.length === IP6_ADDRESS ? IP6_EXTRA : 0;
  const most = Math.min(MOST_MSS, Math.max(LEAST_MSS, (options.mss ?? DEFAULT_MSS) - extra));
  return {
    version: VERSION,
    type: SocketType[kind],
    initial,
    mss: hello === undefined ? most : Math.min(most, hello.mss),
    window: slots(options.receivePackets),
    ask: Ask.connect,
    id,
    cookie: 0,
    address: wireAddress(peerAddress),
  };
}

/** A number of packets as the rings have them. */
export function slots(packets: number = DEFAULT_PACKETS): number {
  return 2 ** Math.ceil(Math.log2(Math.min(MOST_PACKETS, Math.max(LEAST_PACKETS, packets))));
}
