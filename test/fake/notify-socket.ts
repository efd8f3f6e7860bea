import { dlopen, FFIType, ptr } from "bun:ffi";

const libc = dlopen("libc.so.6", {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64_fast },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
}).symbols;

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;

/** A service manager: the datagram socket that $NOTIFY_SOCKET names, and all it was told. */
export class NotifySocket implements Disposable {
  readonly #fd: number;
  readonly #told: string[] = [];
  readonly #buffer = new ArrayBuffer(4096);
  /** It holds ten messages (net.unix.max_dgram_qlen): as systemd does, read them at once. */
  readonly #reader = setInterval(() => void this.told, 5);

  constructor(readonly path: string) {
    this.#fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);
    const address = new Uint8Array(new ArrayBuffer(110)); // struct sockaddr_un
    address[0] = AF_UNIX;
    new TextEncoder().encodeInto(path, address.subarray(2));
    if (libc.bind(this.#fd, ptr(address.buffer), address.length) !== 0)
      throw new Error(`cannot bind ${path}`);
  }

  /** Every line so far. */
  get told(): readonly string[] {
    for (;;) {
      const n = Number(libc.recv(this.#fd, ptr(this.#buffer), 4096n, 0));
      if (n <= 0) return this.#told;
      const text = new TextDecoder().decode(new Uint8Array(this.#buffer, 0, n));
      this.#told.push(...text.trimEnd().split("\n"));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#reader);
    libc.close(this.#fd);
  }
}
