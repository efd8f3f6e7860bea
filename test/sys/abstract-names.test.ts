import { expect, test } from "bun:test";

import { abstractNames, holdName } from "../../src/sys/abstract-names.ts";
import { close } from "../../src/sys/socket.ts";

test("a name can be found for as long as it is held, and held by one", () => {
  const prefix = `tern-test/${process.pid}/`;
  const held = holdName(`${prefix}a 1`);
  expect(abstractNames(prefix)).toEqual([`${prefix}a 1`]);
  expect(() => holdName(`${prefix}a 1`)).toThrow("EADDRINUSE");
  close(held);
  expect(abstractNames(prefix)).toEqual([]);
  close(holdName(`${prefix}a 1`));
});

test("a name longer than there is room for", () => {
  expect(() => holdName("x".repeat(200))).toThrow("EINVAL");
});
