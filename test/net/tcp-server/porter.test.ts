import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";

import { DEFAULT_SOCKET } from "../../../src/core/socket-options.ts";
import { ReactorLoop } from "../../../src/net/reactor-loop.ts";
import { type Admittance, Porter } from "../../../src/net/tcp-server/porter.ts";
import { listenStream } from "../../../src/sys/listen.ts";
import { close } from "../../../src/sys/socket.ts";

const reactor = new ReactorLoop((error) => {
  throw error;
});
const never = new AbortController().signal;
const clients: Socket[] = [];
const closers: (() => void)[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const end of closers.splice(0)) end();
});

/** A listener whose connections are kept until `drop` closes them. */
function listening(limits: Admittance) {
  const { fd, port } = listenStream(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    { ...DEFAULT_SOCKET, deferAccept: 0 },
  );
  const open: number[] = [];
  const told: string[] = [];
  const porter = new Porter(fd, reactor, limits, {
    open: (connection) => void open.push(connection),
    full: () => void told.push("full"),
  });
  const drop = (count = open.length): void => {
    for (const connection of open.splice(0, count)) {
      close(connection);
      porter.left();
    }
  };
  closers.push(() => {
    void porter.shutdown(0, never);
    drop();
    close(fd);
  });
  return { porter, port, drop, told };
}

async function dial(port: number, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve, reject) => {
          const client = connect(port, "127.0.0.1", resolve).on("error", reject);
          clients.push(client);
        }),
    ),
  );
}

async function until(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !what() && performance.now() < end;)
    await Bun.sleep(2);
  expect(what()).toBe(true);
}

const STILL_MS = 60;

test("counts what is open and what there was", async () => {
  const { porter, port, drop } = listening({ connections: 100 });
  porter.start();
  await dial(port, 5);
  await until(() => porter.active === 5);
  drop(2);
  expect([porter.active, porter.accepted]).toEqual([3, 5]);
});

test("above the limit connections wait in the backlog until one leaves", async () => {
  const { porter, port, drop } = listening({ connections: 3 });
  porter.start();
  await dial(port, 5);
  await until(() => porter.active === 3);
  await Bun.sleep(STILL_MS);
  expect(porter.accepted).toBe(3);
  drop(1);
  await until(() => porter.accepted === 4);
});

test("after so many in all it takes no more, and says so once", async () => {
  const { porter, port, told, drop } = listening({ connections: 100, accepted: 4 });
  porter.start();
  await dial(port, 6);
  await until(() => porter.accepted === 4);
  drop();
  await Bun.sleep(STILL_MS);
  expect(porter.accepted).toBe(4);
  expect(told).toEqual(["full"]);
});

test("a rate lets a burst in, then one after the other", async () => {
  const { porter, port } = listening({ connections: 100, rate: { perSecond: 20, burst: 3 } });
  porter.start();
  const began = performance.now();
  await dial(port, 6);
  await until(() => porter.accepted === 3);
  await until(() => porter.accepted === 6);
  expect(performance.now() - began).toBeGreaterThan(140); // three more, 50 ms each
});

test("a shutdown takes those who were let in by the kernel and waits for the last to leave", async () => {
  const { porter, port, drop } = listening({ connections: 1000 });
  await dial(port, 150); // more than one turn accepts
  porter.start();
  let gone: boolean | undefined;
  const end = porter.shutdown(200, never).then((all) => (gone = all));
  expect(porter.active).toBe(150);
  drop(149);
  await Bun.sleep(STILL_MS);
  expect(gone).toBe(undefined);
  drop();
  await end;
  expect(gone).toBe(true);
});

test("a deadline ends the waiting", async () => {
  const { porter, port } = listening({ connections: 100 });
  porter.start();
  await dial(port, 1);
  await until(() => porter.active === 1);
  expect(await porter.shutdown(10, AbortSignal.timeout(50))).toBe(false);
});
