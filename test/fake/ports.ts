import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

/**
 * Below the ports that the kernel gives to clients and to whoever asks for port 0 (ip(7),
 * ip_local_port_range): what was free a moment ago is not taken by chance.
 */
const FIRST = 10_000;
const LAST = 32_000;

/** A port of 127.0.0.1 that is free for TCP and for UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
}

/** The first of `count` ports in a row that are free for UDP. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const free = await Promise.all(
      Array.from({ length: count }, (_, i) => isFreeForUdp(first + i)),
    );
    if (!free.includes(false)) return first;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().listen({ port, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
    server.once("error", () => resolve(false));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").bind({ port, exclusive: true }, () =>
      socket.close(() => resolve(true)),
    );
    socket.once("error", () => resolve(false));
  });
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      answer(true);
    });
    socket.once("error", () => answer(false));
  });
}
