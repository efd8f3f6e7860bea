import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";

import { DEFAULT_SOCKET } from "../../../src/core/socket-options.ts";
import { ReactorLoop } from "../../../src/net/reactor-loop.ts";
import { type AcceptLimits, Acceptor } from "../../../src/net/tcp-server/acceptor.ts";
import { listenStream } from "../../../src/sys/listen.ts";
import { close } from "../../../src/sys/socket.ts";

const reactor = new ReactorLoop((error) => {
  throw error;
});
const clients: Socket[] = [];
const closers: (() => void)[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const end of closers.splice(0)) end();
});

/** A listener whose connections are kept until `drop` closes them. */
function listening(limits: AcceptLimits) {
  const { fd, port } = listenStream(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    { ...DEFAULT_SOCKET, deferAccept: 0 },
  );
  const open: number[] = [];
  const told: string[] = [];
  const acceptor = new Acceptor(reactor, fd, limits, {
    open: (connection) => void open.push(connection),
    full: () => void told.push("full"),
  });
  const drop = (count = open.length): void => {
    for (const connection of open.splice(0, count)) {
      close(connection);
      acceptor.left();
    }
  };
  closers.push(() => {
    acceptor.pause();
    drop();
    close(fd);
  });
  return { acceptor, port, drop, told };
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
  const { acceptor, port, drop } = listening({ connections: 100 });
  acceptor.start();
  await dial(port, 5);
  await until(() => acceptor.active === 5);
  drop(2);
  expect([acceptor.active, acceptor.accepted]).toEqual([3, 5]);
});

test("above the limit connections wait in the backlog until one leaves", async () => {
  const { acceptor, port, drop } = listening({ connections: 3 });
  acceptor.start();
  await dial(port, 5);
  await until(() => acceptor.active === 3);
  await Bun.sleep(STILL_MS);
  expect(acceptor.accepted).toBe(3);
  drop(1);
  await until(() => acceptor.accepted === 4);
  acceptor.limits = { connections: 10 };
  await until(() => acceptor.accepted === 5);
});

test("after so many in all it takes no more, and says so once", async () => {
  const { acceptor, port, told, drop } = listening({ connections: 100, accepted: 4 });
  acceptor.start();
  await dial(port, 6);
  await until(() => acceptor.accepted === 4);
  drop();
  await Bun.sleep(STILL_MS);
  expect(acceptor.accepted).toBe(4);
  expect(told).toEqual(["full"]);
});

test("a rate lets a burst in, then one after the other", async () => {
  const { acceptor, port } = listening({ connections: 100, rate: { perSecond: 20, burst: 3 } });
  acceptor.start();
  const began = performance.now();
  await dial(port, 6);
  await until(() => acceptor.accepted === 3);
  await until(() => acceptor.accepted === 6);
  expect(performance.now() - began).toBeGreaterThan(140); // three more, 50 ms each
});

test("a pause keeps them waiting", async () => {
  const { acceptor, port } = listening({ connections: 100 });
  acceptor.start();
  acceptor.pause();
  await dial(port, 2);
  await Bun.sleep(STILL_MS);
  expect(acceptor.accepted).toBe(0);
  acceptor.start();
  await until(() => acceptor.accepted === 2);
});

test("a shutdown takes those who were let in by the kernel and waits for the last to leave", async () => {
  const { acceptor, port, drop } = listening({ connections: 1000 });
  acceptor.start();
  acceptor.pause();
  await dial(port, 150); // more than one turn accepts
  acceptor.start();
  let gone: boolean | undefined;
  const end = acceptor.shutdown().then((all) => (gone = all));
  expect(acceptor.active).toBe(150);
  drop(149);
  await Bun.sleep(STILL_MS);
  expect(gone).toBe(undefined);
  drop();
  await end;
  expect(gone).toBe(true);
});

test("a deadline ends the waiting", async () => {
  const { acceptor, port } = listening({ connections: 100 });
  acceptor.start();
  await dial(port, 1);
  await until(() => acceptor.active === 1);
  expect(await acceptor.shutdown(AbortSignal.timeout(50))).toBe(false);
});
