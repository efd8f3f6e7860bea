import { connect, type Socket } from "node:net";

import { resident, type Server } from "./server.ts";

const PAIRS = 7500;
const AT_ONCE = 250;
const SETTLE_MS = 2000;
const REQUEST = "GET /1k.bin HTTP/1.1\r\nHost: bench\r\n\r\n";

/** Bytes of resident memory that each idle pair of connections adds, after one request each. */
export async function perPair(server: Server): Promise<number> {
  const before = await resident(server.pid);
  const sockets: Socket[] = [];
  while (sockets.length < PAIRS)
    sockets.push(
      ...(await Promise.all(Array.from({ length: AT_ONCE }, () => oneRequest(server.http)))),
    );
  await Bun.sleep(SETTLE_MS);
  const after = await resident(server.pid);
  const open = sockets.filter((socket) => !socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  if (open < PAIRS) throw new Error(`${server.name} keeps ${open} of ${PAIRS} pairs`);
  return (after - before) / PAIRS;
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
