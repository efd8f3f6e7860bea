import { type Address, parseAddress } from "../../core/address.ts";
import { Bbr } from "../../wire/udt/congestion/bbr.ts";
import { reactor } from "../reactor-loop.ts";
import type { Reactor } from "../reactor.ts";
import { random31 } from "./chance.ts";
import { type EndpointOptions, UdtEndpoint } from "./endpoint.ts";
import { UdtLost, UdtStream } from "./stream.ts";

/** Everything may be left out: a stream, `bbr`, packets for an MTU of 1500, our thread's reactor. */
export type UdtWishes = Partial<Omit<EndpointOptions, "address">> & {
  /** Where to send from: the kernel chooses. */
  readonly from?: string;
};

/** Waits for connections; see README. */
export class UdtListener {
  readonly #endpoint: UdtEndpoint;

  /** `welcome` is given each connection, hands shaken. Throws SysError when it cannot listen there. */
  constructor(
    listen: string,
    welcome: (stream: UdtStream) => void | Promise<void>,
    wishes: UdtWishes = {},
  ) {
    this.#endpoint = endpoint(listen, wishes);
    this.#endpoint.listen((line) => void this.#welcomed(new UdtStream(line), welcome));
  }

  /** Whoever throws loses his connection; a lost connection is no news to anybody else. */
  async #welcomed(
    stream: UdtStream,
    welcome: (stream: UdtStream) => void | Promise<void>,
  ): Promise<void> {
    try {
      await welcome(stream);
    } catch (error) {
      stream.abort();
      if (!(error instanceof UdtLost)) reportError(error);
    }
  }

  get address(): Address & { kind: "tcp" } {
    return this.#endpoint.address;
  }
  /** Connections there are. */
  get size(): number {
    return this.#endpoint.size;
  }

  /** Listen no more; connections that are there are broken off. */
  close(): void {
    this.#endpoint.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Connect to a listener at `to`: an IP address and port. Rejects with UdtLost when nobody answers. */
export function connectUdt(to: string, wishes: UdtWishes = {}): Promise<UdtStream> {
  return dialled("client", to, wishes);
}

/**
 * Connect to a peer that does the same at the same time, from `wishes.from` there: neither listens,
 * which is how two who are behind NAT find one another. Rejects with UdtLost.
 */
export function rendezvousUdt(to: string, wishes: UdtWishes = {}): Promise<UdtStream> {
  return dialled("rendezvous", to, wishes);
}

async function dialled(
  role: "client" | "rendezvous",
  to: string,
  wishes: UdtWishes,
): Promise<UdtStream> {
  const peer = toAddress(to);
  const own = endpoint(wishes.from ?? (peer.host.includes(":") ? "[::]:0" : "0.0.0.0:0"), wishes);
  const line = own.dial(role, peer.host, peer.port, () => {});
  if (line === undefined) throw new TypeError(`${to} is no IP address and port`);
  const stream = new UdtStream(line);
  // The socket is this connection's alone.
  const look = line.owner;
  line.owner = (one) => {
    look?.(one);
    if (one.gone) queueMicrotask(() => own.close());
  };
  await stream.opened();
  return stream;
}

function endpoint(address: string, wishes: UdtWishes): UdtEndpoint {
  const at = toAddress(address);
  return new UdtEndpoint({
    kind: "stream",
    reactor: wishes.reactor ?? ourReactor(),
    congestion: () => new Bbr(random31()),
    ...wishes,
    address: at,
  });
}

function ourReactor(): Reactor {
  return reactor();
}

function toAddress(text: string): Address & { kind: "tcp" } {
  const address = parseAddress(text);
  if (address?.kind !== "tcp") throw new TypeError(`${text} is no IP address and port`);
  return address;
}
