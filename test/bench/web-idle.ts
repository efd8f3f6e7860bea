import { connect, type Socket } from "node:net";

import { median } from "./figures.ts";
import { resident, type Server } from "./server.ts";
import { HOST } from "./web-files.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 250;
const SETTLE_MS = 2000;

/** Bytes of resident memory that each idle keep-alive connection adds, after one request each. */
export async function perConnection(server: Server): Promise<number> {
  const before = await resident(server.pid);
  const sockets: Socket[] = [];
  while (sockets.length < CONNECTIONS)
    sockets.push(
      ...(await Promise.all(Array.from({ length: AT_ONCE }, () => oneRequest(server.http)))),
    );
  await Bun.sleep(SETTLE_MS);
  const after = await resident(server.pid);
  const open = sockets.filter((s) => !s.destroyed).length;
  for (const socket of sockets) socket.destroy();
  if (open < CONNECTIONS)
    throw new Error(`${server.name} keeps ${open} of ${CONNECTIONS} connections`);
  return (after - before) / CONNECTIONS;
}

/** A connection that has been used and is kept open. */
async function oneRequest(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", () => resolve());
    socket.write(`GET /index.html HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  });
  socket.removeAllListeners("error");
  socket.on("error", () => socket.destroy());
  return socket;
}

/** Resident memory some seconds after the start and a first request. */
export async function idleMemory(server: Server): Promise<number> {
  await Bun.sleep(SETTLE_MS);
  return resident(server.pid);
}

/** Milliseconds from the start of the process to the first answer, the middle of `times`. */
export async function coldStart(make: () => Promise<Server>, times: number): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const server = await make();
    took.push(performance.now() - began);
    await server[Symbol.asyncDispose]();
  }
  return median(took);
}
