import { expect, test } from "bun:test";

import { monotonic } from "../../src/sys/monotonic.ts";
import { RecordLocks } from "../../src/sys/record-locks.ts";
import { makeShared, mapShared } from "../../src/sys/shared-memory.ts";
import { close } from "../../src/sys/socket.ts";

const COUNTER = new URL("./shared-counter.ts", import.meta.url).pathname;
const BYTES = 4096;
const EACH = 20_000;

/** Another process that has the memory as its descriptor 3; it does what it is told, a line each. */
function counter(fd: number) {
  const child = Bun.spawn([process.execPath, COUNTER, String(BYTES), String(EACH)], {
    stdio: ["pipe", "pipe", "inherit", fd],
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    child,
    tell: async (word: string): Promise<string> => {
      await child.stdin.write(`${word}\n`);
      await child.stdin.flush();
      return ((await lines.read()).value ?? "").trim();
    },
  };
}

test("two processes add to the same memory, and nothing is lost", async () => {
  const fd = makeShared("test", BYTES);
  const words = new Int32Array(mapShared(fd, BYTES));
  const other = counter(fd);
  const done = other.tell("add");
  for (let i = 0; i < EACH; i++) Atomics.add(words, 0, 1);
  expect(await done).toBe("added");
  expect(words[0]).toBe(2 * EACH);
  other.child.kill();
  await other.child.exited;
  close(fd);
});

test("a byte is locked by one process, until it gives it back or dies", async () => {
  const fd = makeShared("test", BYTES);
  const locks = new RecordLocks(fd);
  const other = counter(fd);
  expect(await other.tell("take 5")).toBe("true");
  expect([locks.isTaken(5), locks.take(5), locks.isTaken(6), locks.take(6)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(await other.tell("take 6")).toBe("false");
  locks.release(6);
  expect(await other.tell("take 6")).toBe("true");
  other.child.kill("SIGKILL");
  await other.child.exited;
  locks.wait(5);
  expect([locks.isTaken(6), locks.take(6)]).toEqual([false, true]);
  close(fd);
});

test("a program that is given the descriptor neither has the lock nor takes it away", async () => {
  const fd = makeShared("test", BYTES);
  const locks = new RecordLocks(fd);
  expect(locks.take(3)).toBe(true);
  const [one, two] = [counter(fd), counter(fd)];
  expect(await one.tell("take 3")).toBe("false");
  one.child.kill();
  await one.child.exited;
  expect(await two.tell("take 3")).toBe("false");
  locks.release(3);
  expect(await two.tell("take 3")).toBe("true");
  two.child.kill();
  await two.child.exited;
  close(fd);
});

test("what cannot be says why", () => {
  expect(() => mapShared(-1, BYTES)).toThrow(/mmap .*EBADF/);
  expect(() => new RecordLocks(-1)).toThrow(/ENOENT/);
});

test("all processes have one clock", async () => {
  const fd = makeShared("test", BYTES);
  const other = counter(fd);
  const before = monotonic();
  const theirs = Number(await other.tell("time"));
  expect([before <= theirs, theirs <= monotonic()]).toEqual([true, true]);
  other.child.kill();
  await other.child.exited;
  close(fd);
});
