import { connect, type Socket } from "node:net";

import { resident, type Server } from "./server.ts";

/** Pairs that are open before growth is counted: by then what a process needs once is there. */
const WARM_UP = 500;
const PAIRS = 7000;
const AT_ONCE = 250;
const SETTLE_MS = 2000;
const REQUEST = "GET /1k.bin HTTP/1.1\r\nHost: bench\r\n\r\n";

/** Bytes of resident memory that each idle pair of connections adds, after one request each. */
export async function perPair(server: Server): Promise<number> {
  const sockets: Socket[] = [];
  try {
    const before = await residentWith(WARM_UP, server, sockets);
    const after = await residentWith(WARM_UP + PAIRS, server, sockets);
    const open = sockets.filter((socket) => !socket.destroyed).length;
    if (open < sockets.length)
      throw new Error(`${server.name} keeps ${open} of ${sockets.length} pairs`);
    return (after - before) / PAIRS;
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** When there are so many pairs and it has come to rest. */
async function residentWith(pairs: number, server: Server, sockets: Socket[]): Promise<number> {
  while (sockets.length < pairs)
    sockets.push(
      ...(await Promise.all(Array.from({ length: AT_ONCE }, () => oneRequest(server.http)))),
    );
  await Bun.sleep(SETTLE_MS);
  return resident(server.pid);
}

/** A connection that has been used and is kept open. */
async function oneRequest(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", () => resolve());
    socket.write(REQUEST);
  });
  socket.removeAllListeners("error");
  socket.on("error", () => socket.destroy());
  return socket;
}
