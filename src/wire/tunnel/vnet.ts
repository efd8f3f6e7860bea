// struct virtio_net_hdr (linux/virtio_net.h), in the byte order of this machine, which is little-endian:
// 0 flags  1 gso_type  2 hdr_len  4 gso_size  6 csum_start  8 csum_offset

/** Bytes of the virtio_net_hdr in front of each packet of a TUN device. */
export const VNET_HEADER = 10;

/** The checksum holds the pseudo-header's sum only: whoever sends the packet on finishes it. */
export const NEEDS_CHECKSUM = 1;

/** Kinds of packets that are still to be cut. */
export const GSO = { none: 0, tcp4: 1, tcp6: 4, udp: 5 } as const;
/** Beside a kind of TCP: CWR belongs to the first segment alone (RFC 3168, 6.1.2). */
export const GSO_ECN = 0x80;
