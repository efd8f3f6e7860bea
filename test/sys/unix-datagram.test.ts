import { expect, test } from "bun:test";

import { block } from "../../src/sys/memory.ts";
import { AGAIN, close, receive } from "../../src/sys/socket.ts";
import { abstractNames, sendToName, unixDatagram } from "../../src/sys/unix-datagram.ts";

test("a name can be found and written to, for as long as its socket is open", () => {
  const prefix = `tern-test/${process.pid}/`;
  const box = unixDatagram(`${prefix}a 1`);
  const sender = unixDatagram();
  expect(abstractNames(prefix)).toEqual([`${prefix}a 1`]);
  expect(() => unixDatagram(`${prefix}a 1`)).toThrow("EADDRINUSE");
  expect(sendToName(sender, `${prefix}a 1`, new TextEncoder().encode("hello"))).toBe(true);
  const into = block(16);
  expect(receive(box, into.at, 16)).toBe(5);
  expect(new TextDecoder().decode(into.bytes.subarray(0, 5))).toBe("hello");
  expect(receive(box, into.at, 16)).toBe(AGAIN);
  close(box);
  expect(abstractNames(prefix)).toEqual([]);
  expect(sendToName(sender, `${prefix}a 1`, Uint8Array.of(1))).toBe(false);
  close(sender);
});

test("a full box takes no more, and nobody waits for it", () => {
  const name = `tern-test/${process.pid}/full`;
  const box = unixDatagram(name);
  const sender = unixDatagram();
  let sent = 0;
  while (sent < 100_000 && sendToName(sender, name, new Uint8Array(100))) sent++;
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(100_000);
  close(box);
  close(sender);
});
