import { expect, test } from "bun:test";

import { PipePool } from "../../../src/net/tcp/pipe-pool.ts";
import { makePipe } from "../../../src/sys/pipe.ts";
import { AGAIN, close } from "../../../src/sys/socket.ts";
import { splice } from "../../../src/sys/splice.ts";
import { RawListener, RawPeer } from "../../fake/raw-peer.ts";

test("an empty pipe is lent again, one with bytes in it is not", () => {
  const pool = new PipePool();
  const one = pool.take();
  if (one === undefined) throw new Error("no pipe");
  pool.giveBack(one);
  expect(pool.take()).toBe(one);
  pool.drop(one);
  const other = pool.take();
  expect(other).not.toBe(one);
  if (other !== undefined) pool.giveBack(other);
  pool.close();
});

test("there are so many and no more", () => {
  const pool = new PipePool();
  const all = Array.from({ length: 200 }, () => pool.take());
  const lent = all.filter((pipe) => pipe !== undefined);
  expect(lent).toHaveLength(128);
  for (const pipe of lent) pool.giveBack(pipe);
  expect(pool.take()).toBeDefined();
  for (const pipe of lent) pool.drop(pipe);
});

test("bytes go from one socket through a pipe into another", async () => {
  using listener = new RawListener();
  using a = await RawPeer.to(listener.port);
  using b = await listener.accept();
  using c = await RawPeer.to(listener.port);
  using d = await listener.accept();
  const pipe = makePipe(65_536);
  if (pipe === undefined) throw new Error("no pipe");
  expect(pipe.size).toBeGreaterThanOrEqual(4096);
  expect(splice(b.fd, pipe.writer, 1000)).toBe(AGAIN);
  const bytes = new Uint8Array(new ArrayBuffer(500)).fill(3);
  await a.write(bytes);
  expect(splice(b.fd, pipe.writer, 1000)).toBe(500);
  expect(splice(pipe.reader, c.fd, 1000)).toBe(500);
  expect(await d.read(500)).toEqual(bytes);
  a.finish();
  await Bun.sleep(5);
  expect(splice(b.fd, pipe.writer, 1000)).toBe(0);
  close(pipe.reader);
  close(pipe.writer);
});
