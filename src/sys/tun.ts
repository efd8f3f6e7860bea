import { FFIType } from "bun:ffi";

import { errno, errnoNumber, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { AGAIN, close, GONE } from "./socket.ts";

const libc = openLibc({
  open: { args: ["ptr", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "usize"], returns: "i32" },
  read: { args: ["i32", "ptr", "usize"], returns: FFIType.i64_fast },
  write: { args: ["i32", "ptr", "usize"], returns: FFIType.i64_fast },
});

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

// linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TUN = 1;
const IFF_TAP = 2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 1;
const TUN_F_TSO4 = 2;
const TUN_F_TSO6 = 4;
const TUN_F_USO4 = 0x20;
const TUN_F_USO6 = 0x40;

// struct ifreq { char name[16]; short flags; … }
const IFREQ = 40;
const IFNAMSIZ = 16;

const EAGAIN = 11;
const EINTR = 4;
const EBADF = 9;
const ENOMEM = 12;
const ENOBUFS = 105;
/** The device was deleted: the descriptor is left, and belongs to nothing. */
const EBADFD = 77;

/** What `write` answers when the kernel takes no such packet, or the device is down: it is lost. */
export const REFUSED = -4;

/** struct virtio_net_hdr, in the byte order of this machine: in front of each packet of a device with `offload`. */
export const VNET_HEADER = 10;

/** No packet read is longer: the largest IP packet, an Ethernet header, and the virtio_net_hdr. */
export const MAX_PACKET = 65_535 + 18 + VNET_HEADER;

export interface TunOptions {
  /** Up to 15 bytes; `warp%d` lets the kernel count. */
  readonly name: string;
  /** IP packets, or Ethernet frames. */
  readonly kind: "tun" | "tap";
  /** Packets up to 64 KB, to be cut (GSO) and summed by whoever sends them on; each with a VNET_HEADER. */
  readonly offload: boolean;
  /** May be opened several times: flows are spread over the descriptors. */
  readonly queues?: boolean;
}

/**
 * A network device whose wire is this process. It is there until the last descriptor is closed, so
 * also after a SIGKILL nothing is left; addresses and routes go with it. Made in the network
 * namespace of the calling thread (netns.ts), and stays there. Not up yet: see netlink/links.ts.
 */
export class Tun {
  readonly fd: number;
  /** As the kernel calls it. */
  readonly name: string;
  /** Bytes in front of each packet: VNET_HEADER, or 0 without offload. */
  readonly header: number;
  /** Which packets the kernel hands over uncut. UDP needs Linux 6.2. */
  readonly segments: { readonly tcp: boolean; readonly udp: boolean };

  /** Throws SysError: EPERM without CAP_NET_ADMIN, EBUSY when another has that name. */
  constructor({ name, kind, offload, queues = false }: TunOptions) {
    const path = Buffer.from("/dev/net/tun\0");
    this.fd = libc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (this.fd < 0) throw new SysError("open", errno(), "/dev/net/tun");
    try {
      this.name = attach(
        this.fd,
        name,
        (kind === "tun" ? IFF_TUN : IFF_TAP) |
          IFF_NO_PI |
          (offload ? IFF_VNET_HDR : 0) |
          (queues ? IFF_MULTI_QUEUE : 0),
      );
      // Should another program have made it to stay.
      if (libc.ioctl(this.fd, TUNSETPERSIST, 0) < 0)
        throw new SysError("ioctl TUNSETPERSIST", errno(), this.name);
    } catch (error) {
      close(this.fd);
      throw error;
    }
    this.header = offload ? VNET_HEADER : 0;
    this.segments = offload ? offloads(this.fd) : { tcp: false, udp: false };
  }

  /** The next packet, with its header, in the `length` bytes at `at`; AGAIN; GONE when the device is. */
  read(at: number, length: number): number {
    const n = Number(libc.read(this.fd, pointer(at), length));
    if (n >= 0) return n;
    const why = errnoNumber();
    return why === EAGAIN || why === EINTR ? AGAIN : GONE;
  }

  /** A packet, with its header, into the kernel. `length`; or AGAIN, REFUSED, GONE. */
  write(at: number, length: number): number {
    const n = Number(libc.write(this.fd, pointer(at), length));
    if (n >= 0) return n;
    switch (errnoNumber()) {
      case EAGAIN:
      case EINTR:
      case ENOMEM:
      case ENOBUFS:
        return AGAIN;
      case EBADFD:
      case EBADF:
        return GONE;
      default:
        return REFUSED;
    }
  }

  /** The device is gone with its last descriptor. */
  close(): void {
    close(this.fd);
  }
}

/** Make the device, or open one more queue of it. Its name. */
function attach(fd: number, name: string, flags: number): string {
  const ifreq = block(IFREQ);
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes.length >= IFNAMSIZ || name.includes("\0"))
    throw new SysError("ioctl TUNSETIFF", "EINVAL", name);
  ifreq.bytes.set(bytes);
  ifreq.view.setUint16(IFNAMSIZ, flags, true);
  if (libc.ioctl(fd, TUNSETIFF, ifreq.at) < 0) throw new SysError("ioctl TUNSETIFF", errno(), name);
  const made = ifreq.bytes.subarray(0, IFNAMSIZ);
  return new TextDecoder().decode(made.subarray(0, made.indexOf(0)));
}

/** Ask for as much as this kernel knows. */
function offloads(fd: number): Tun["segments"] {
  const tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  // The argument is the number itself.
  if (libc.ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) === 0)
    return { tcp: true, udp: true };
  return { tcp: libc.ioctl(fd, TUNSETOFFLOAD, tcp) === 0, udp: false };
}
