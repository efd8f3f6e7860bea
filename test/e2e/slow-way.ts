/** A way that takes time, in front of a UDP server on loopback: this kernel has no netem. */
export interface SlowWay extends Disposable {
  readonly port: number;
  /** Datagrams that went there. */
  readonly count: number;
}

interface Caller {
  readonly socket: { send(bytes: Uint8Array): boolean; close(): void };
}

/** Datagrams to `port` and back take `rtt` ms, half of it each way. */
export async function slowWay(port: number, rtt: number): Promise<SlowWay> {
  const callers = new Map<string, Promise<Caller>>();
  let count = 0;
  const later = (send: () => unknown): void => void setTimeout(send, rtt / 2);
  const front = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data(_, bytes, fromPort, from) {
        count++;
        const key = `${from} ${fromPort}`;
        const question = new Uint8Array(bytes); // the runtime's buffer is used again
        const caller =
          callers.get(key) ?? call((answer) => later(() => front.send(answer, fromPort, from)));
        callers.set(key, caller);
        void caller.then(({ socket }) => later(() => socket.send(question)));
      },
    },
  });
  const call = async (answered: (bytes: Uint8Array) => void): Promise<Caller> => ({
    socket: await Bun.udpSocket({
      connect: { hostname: "127.0.0.1", port },
      socket: { data: (_, bytes) => answered(new Uint8Array(bytes)) },
    }),
  });
  return {
    port: front.port,
    get count() {
      return count;
    },
    [Symbol.dispose]() {
      front.close();
      for (const caller of callers.values()) void caller.then(({ socket }) => socket.close());
    },
  };
}
