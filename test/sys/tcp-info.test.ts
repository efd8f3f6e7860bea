import { expect, test } from "bun:test";

import { queuedBytes, socketCookie } from "../../src/sys/tcp-info.ts";
import { RawListener, RawPeer } from "../fake/raw-peer.ts";

test("bytes ever queued are counted, acknowledged or not", async () => {
  using listener = new RawListener();
  using client = await RawPeer.to(listener.port);
  using server = await listener.accept();
  const before = queuedBytes(client.fd);
  await client.write(new Uint8Array(new ArrayBuffer(1000)));
  expect(queuedBytes(client.fd) - before).toBe(1000);
  await server.read(1000);
  expect(queuedBytes(client.fd) - before).toBe(1000);
  const stuck = client.push(new Uint8Array(new ArrayBuffer(20_000_000))); // more than fits
  expect(queuedBytes(client.fd) - before).toBe(1000 + stuck);
});

test("every socket has a cookie of its own, and keeps it", async () => {
  using listener = new RawListener();
  using client = await RawPeer.to(listener.port);
  using server = await listener.accept();
  const of = (peer: RawPeer): string => socketCookie(peer.fd).toHex();
  expect(of(client)).toBe(of(client));
  expect(of(client)).not.toBe(of(server));
});
