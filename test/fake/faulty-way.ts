import { connect, createServer, type Socket } from "node:net";

/** What is wrong with a way to a server. */
export type WayFault =
  | undefined
  /** Connections are taken, what they say is lost, and nothing ever comes back. */
  | "silent"
  /** Whatever is asked, the answer is 500, behind which the connection ends. */
  | "500"
  /** Bytes a second, either way. */
  | { readonly rate: number }
  /** A connection breaks when so many bytes have passed, either way. */
  | { readonly cutAfter: number };

/** A way over TCP to a server on loopback, and what a test lets it suffer from. */
export interface FaultyWay extends AsyncDisposable {
  readonly url: string;
  /** A change is felt by connections that are open as well. */
  fault: WayFault;
}

/** Pieces in which what is slow goes on its way, a second. */
const TICKS = 20;
const REFUSAL =
  "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

export async function faultyWay(to: number): Promise<FaultyWay> {
  const state: { fault: WayFault } = { fault: undefined };
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    let passed = 0;
    const carry = async (from: Socket, into: Socket): Promise<void> => {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        const { fault } = state;
        if (fault === "silent") continue;
        if (fault === "500") {
          if (from === near) near.end(REFUSAL);
          return;
        }
        if (typeof fault === "object" && "cutAfter" in fault) {
          const left = fault.cutAfter - passed;
          if (left < bytes.length) {
            into.write(bytes.subarray(0, Math.max(0, left)), end);
            return;
          }
        }
        passed += bytes.length;
        if (typeof fault === "object" && "rate" in fault)
          await drip(bytes, into, () => state.fault);
        else if (!into.write(bytes))
          await new Promise((go) => into.once("drain", go).once("close", go));
      }
      into.end();
    };
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once("close", () => {
        open.delete(socket);
        end();
      });
      socket.on("error", end);
    }
    carry(near, far).catch(end);
    carry(far, near).catch(end);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((gone) => server.close(gone));
    },
  };
}

/** Bytes as slowly as they may go; at once when that is over. */
async function drip(bytes: Buffer, into: Socket, fault: () => WayFault): Promise<void> {
  for (let at = 0; at < bytes.length && !into.destroyed;) {
    const now = fault();
    const slow = typeof now === "object" && "rate" in now;
    const length = slow ? Math.max(1, Math.floor(now.rate / TICKS)) : bytes.length;
    into.write(bytes.subarray(at, at + length));
    at += length;
    if (slow) await Bun.sleep(1000 / TICKS);
  }
}
