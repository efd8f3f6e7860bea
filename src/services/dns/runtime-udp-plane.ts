import { showAddress } from "../../core/address.ts";
import { duplicate } from "../../sys/duplicate.ts";
import { ANSWER_ROOM, type DatagramPlane, type UdpParts } from "./udp-plane.ts";
import { type Answerer, clientBytes, type Via } from "./via.ts";

/** An IPv4 address in IPv6 clothes is one of IPv4 (RFC 4291, 2.5.5.2). */
const MAPPED = "::ffff:";

/** A UDP socket of the runtime: it takes a descriptor too, and closes it with itself. */
type Adopt = (options: {
  readonly fd: number;
  readonly socket: Bun.udp.SocketHandler<"buffer">;
}) => Promise<Bun.udp.Socket<"buffer">>;
const adopt = Bun.udpSocket as unknown as Adopt; // `fd` is not among the declared options

/**
 * One UDP listener where datagrams cannot be moved in batches: the runtime moves them one by one.
 * Slower, and on a socket bound to no one address an answer leaves from the address that the routes
 * choose.
 */
export class RuntimeUdpPlane implements DatagramPlane {
  readonly #parts: Omit<UdpParts, "reactor"> & { readonly now: () => number };
  readonly #via: Via;
  readonly #answer = new Uint8Array(ANSWER_ROOM);
  #answerer: Answerer | undefined;
  #unsent: (count: number) => void = () => {};
  #sockets: readonly Promise<Bun.udp.Socket<"buffer">>[] = [];

  constructor(parts: Omit<UdpParts, "reactor"> & { readonly now: () => number }) {
    this.#parts = parts;
    this.#via = {
      transport: "udp",
      client: new Uint8Array(4),
      port: 0,
      room: ANSWER_ROOM,
      now: 0,
      wall: 0,
    };
  }

  get name(): string {
    const { address, socket } = this.#parts;
    return `udp ${showAddress(address.kind === "tcp" ? { ...address, port: socket.value.port } : address)}`;
  }

  serve(answerer: Answerer, unsent: (count: number) => void): void {
    this.#answerer = answerer;
    this.#unsent = unsent;
    // Until it is there, questions wait in the kernel.
    if (this.#sockets.length > 0) return;
    this.#sockets = this.#parts.socket.value.fds.map((fd) =>
      adopt({
        fd: duplicate(fd),
        socket: {
          data: (socket, bytes, port, address) => this.#take(socket, bytes, port, address),
          error: () => this.#unsent(1),
        },
      }),
    );
  }

  leave(answerer: Answerer): void {
    if (this.#answerer !== answerer) return;
    this.#answerer = undefined;
    for (const made of this.#sockets) void made.then((socket) => socket.close());
    this.#sockets = [];
  }

  async close(): Promise<void> {
    if (this.#answerer !== undefined) this.leave(this.#answerer);
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #take(socket: Bun.udp.Socket<"buffer">, bytes: Uint8Array, port: number, address: string): void {
    const answerer = this.#answerer;
    if (answerer === undefined || port === 0) return;
    const via = this.#via;
    via.client = clientBytes(address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address);
    via.port = port;
    via.now = this.#parts.now();
    via.wall = this.#parts.wall();
    const answer = this.#answer;
    const length = answerer.respond(bytes, 0, bytes.length, via, answer, 0);
    if (length > 0 && !socket.send(answer.subarray(0, length), port, address)) this.#unsent(1);
  }
}
