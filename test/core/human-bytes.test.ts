import { expect, test } from "bun:test";

import { humanBytes } from "../../src/core/human-bytes.ts";

test.each([
  { bytes: 0, says: "0 B" },
  { bytes: 1023, says: "1023 B" },
  { bytes: 2048, says: "2 KiB" },
  { bytes: 1536, says: "1.5 KiB" },
  { bytes: 57_376_768, says: "54.7 MiB" },
  { bytes: 150.4 * 1024 ** 3, says: "150 GiB" },
  { bytes: 2 ** 60, says: "1048576 TiB" },
])("$bytes is $says", ({ bytes, says }) => {
  expect(humanBytes(bytes)).toBe(says);
});
