import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

import { lockFile, unlockFile } from "../../src/sys/file-lock.ts";
import { temporary } from "../fake/temporary.ts";

test("one at a time; it is given back, and lost with the descriptor", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "lock");
  const [one, two] = [openSync(path, "a"), openSync(path, "a")];
  expect(lockFile(one)).toBe("locked");
  expect(lockFile(two)).toBe("EAGAIN");
  unlockFile(one);
  expect(lockFile(two)).toBe("locked");
  expect(lockFile(one)).toBe("EAGAIN");
  closeSync(two);
  expect(lockFile(one)).toBe("locked");
  closeSync(one);
  expect(() => lockFile(one)).toThrow(/flock .*EBADF/);
});
